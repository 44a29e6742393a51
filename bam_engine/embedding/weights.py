"""Weights fetched from the model hub into a file, to be used where there is no network.

In:  the spec of an encoder. Out: what the hub has for it, and a file with exactly that content. The hub is the one that
the hub's library is set to (its variable HF_ENDPOINT). What was fetched of a file is kept beside it until it is whole,
so that the same call resumes; it takes its name once its digest is that which the hub states.
"""

import contextlib
import errno
import fcntl
import hashlib
import http.client
import os
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from bam_engine.embedding.encoder import parse_spec
from bam_engine.errors import DiskFull, EmbeddingError
from bam_engine.files import flush_to_disk
from bam_engine.formatting import file_size
from bam_engine.progress import Report, silent

_BLOCK = 1 << 20
_TIMEOUT = 30.0  # seconds without a byte
_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class Weights:
    """The weights that the hub has for an encoder; ``licence`` is empty where the hub states none."""

    spec: str
    repository: str
    name: str
    url: str
    size: int
    sha256: str
    licence: str

    @property
    def suffix(self) -> str:
        """The suffix of the file, by which it is read."""
        return Path(self.name).suffix


def find_weights(spec: str) -> Weights:
    """Return what the hub has for an OpenCLIP encoder; nothing but its description is fetched.

    Raises
    ------
    EmbeddingError
        The spec names no weights of OpenCLIP (similar names are suggested), they do not suffice without a network, or
        the hub cannot be reached or does not have them.
    """
    from bam_engine.embedding.openclip_encoder import hub_file

    parsed = parse_spec(spec)
    if parsed.kind != "openclip":
        raise EmbeddingError(
            f"{parsed.text} is no encoder whose weights are fetched. Name one like openclip:MODEL/PRETRAINED."
        )
    repository, names = hub_file(parsed)
    found = _describe(parsed.text, repository)
    files = {one.rfilename: one for one in found.siblings or ()}
    name = next((name for name in names if name in files), None)
    if name is None or files[name].lfs is None:
        raise EmbeddingError(
            f"The hub has no file of weights for {parsed.text}: {repository} holds {', '.join(files) or 'nothing'}."
        )
    from huggingface_hub import hf_hub_url

    large, card = files[name].lfs, found.card_data
    return Weights(
        spec=parsed.text,
        repository=repository,
        name=name,
        url=hf_hub_url(repository, name, revision=found.sha),
        size=int(large.size),
        sha256=str(large.sha256),
        licence=str((card and card.get("license")) or ""),
    )


def fetch_weights(weights: Weights, to: Path, *, report: Report = silent) -> bool:
    """Fetch weights into the file ``to``; return False if they are there already.

    Parameters
    ----------
    report
        Is called with bytes, and may raise ``Stopped``: what was fetched is kept, and the next call resumes.

    Raises
    ------
    EmbeddingError
        The file exists with other content, or has another suffix; another process is fetching it; the connection was
        cut, or the content is not what the hub states.
    DiskFull
        There is not enough space.
    """
    to = to.absolute()
    if to.is_dir() or to.suffix != weights.suffix:
        raise EmbeddingError(
            f"{to} cannot be the file of {weights.name}, by whose name it is read. Name a file that ends in "
            f"{weights.suffix}, such as {(to if to.is_dir() else to.parent) / weights.name}."
        )
    if to.exists():
        if to.stat().st_size == weights.size and _digest(to) == weights.sha256:
            return False
        raise EmbeddingError(f"{to} exists and holds something else. Name another file, or move that one away.")
    part = to.with_name(f"{to.name}.{weights.sha256[:12]}.part")
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        with part.open("ab") as file:
            _lock(file, to)
            _fetch(weights, file, to.parent, report)
            file.flush()
            os.fsync(file.fileno())
            _check(weights, part)
            part.replace(to)
        flush_to_disk(to.parent)
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFull(f"The disk of {to.parent} is full. {_resume(part)}") from error
        raise EmbeddingError(f"Cannot write {to}: {error.strerror or error}. Name a file in another folder.") from error
    return True


def _describe(spec: str, repository: str) -> Any:
    """Return the hub's description of a repository; no account is used."""
    from huggingface_hub import HfApi, constants
    from huggingface_hub.errors import HfHubHTTPError

    try:
        return HfApi(token=False).model_info(repository, files_metadata=True, timeout=_TIMEOUT)
    except HfHubHTTPError as error:
        status = error.response.status_code
        raise EmbeddingError(
            f"The hub {constants.ENDPOINT} does not give {repository}, the weights of {spec} (status {status}). "
            "They may have moved, or need an account. Choose other weights."
        ) from error
    except Exception as error:
        raise EmbeddingError(
            f"Cannot reach the hub {constants.ENDPOINT} ({type(error).__name__}). Check the connection, or fetch the "
            "weights on another computer and copy the file."
        ) from error


def _lock(file: IO[bytes], to: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise EmbeddingError(f"Another process is fetching {to}. Wait until it has finished.") from error


def _fetch(weights: Weights, file: IO[bytes], folder: Path, report: Report) -> None:
    """Append what is missing to ``file``."""
    done = file.seek(0, os.SEEK_END)
    if done > weights.size:
        done = file.truncate(0)
    free = shutil.disk_usage(folder).free
    if free < weights.size - done:
        raise DiskFull(
            f"{weights.spec} needs {file_size(weights.size - done)} in {folder}, where {file_size(free)} are free. "
            "Free some space, or name a file on another disk."
        )
    report(done, weights.size)
    if done == weights.size:
        return
    with _readable_failures(weights, Path(file.name)):
        request = urllib.request.Request(weights.url, headers={"Range": f"bytes={done}-"} if done else {})
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:
            if done and answer.status != http.HTTPStatus.PARTIAL_CONTENT:
                done = file.truncate(0)
            while block := answer.read(min(_BLOCK, weights.size - done)):
                file.write(block)
                file.flush()  # a full disk is noticed here, and what is there can be told
                done += len(block)
                report(done, weights.size)
    if done < weights.size:
        raise EmbeddingError(
            f"The connection ended after {file_size(done)} of {file_size(weights.size)}. {_resume(Path(file.name))}"
        )


@contextlib.contextmanager
def _readable_failures(weights: Weights, part: Path) -> Iterator[None]:
    """Turn failures of the connection into readable ones; those of the disk pass."""
    try:
        yield
    except urllib.error.HTTPError as error:
        raise EmbeddingError(
            f"The hub does not give {weights.name} (status {error.code}). Choose other weights."
        ) from error
    except (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError) as error:
        raise EmbeddingError(f"The connection to the hub failed ({type(error).__name__}). {_resume(part)}") from error


def _resume(part: Path) -> str:
    size = part.stat().st_size if part.exists() else 0
    return f"{file_size(size)} are kept in {part.name}; the same command goes on from there."


def _check(weights: Weights, part: Path) -> None:
    if _digest(part) != weights.sha256:
        part.unlink()
        raise EmbeddingError(
            f"What was fetched is not {weights.name} of {weights.repository}: its digest differs from the one that "
            "the hub states. It was deleted. Try again; if it happens twice, something between changes the content."
        )


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
