"""Why a file of weights cannot be used, in words.

In:  the file and the error of the library that tried to read it. Out: a sentence, and what to do. The state of the file
itself is looked at first: what libraries say about a file that is cut off is about their inner workings.
"""

import json
import pickle
import re
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from bam_engine.formatting import count, file_size

_NO_WEIGHTS = "is not a file of weights. Choose a .safetensors file, or a PyTorch file of tensors."
_AGAIN = "Fetch it again, or choose another file."
_NUMPY = (".npy", ".npz")
_PICKLE = b"\x80"  # begins a file of PyTorch that is no archive
_MAX_WORDS = 240  # of a library's message
_MAX_HEADER = 100 << 20  # bytes; that of safetensors
_GLOBAL = re.compile(r"GLOBAL (\S+)")
_SHAPE = re.compile(r"size mismatch for (\S+): .*?torch\.Size\((\[.*?\])\).*?torch\.Size\((\[.*?\])\)")


class Misfit(Exception):
    """The tensors of a file are not those of the model; the message is a whole sentence."""


def why_not(file: Path, spec: str, error: Exception) -> str:
    """Return why a checkpoint file cannot be used for an encoder, and what to do about it."""
    reason = _state(file) or _unreadable(error, file)
    if reason is not None:
        return f"The checkpoint {file} {reason}"
    words = str(error) if isinstance(error, Misfit) else _mismatch(error)
    return f"The checkpoint {file} does not fit {spec}: {words} Choose a file of this model, or the model of this file."


def lacks_and_has(missing: Sequence[str], unexpected: Sequence[str]) -> str:
    """Say which tensors of a model a file lacks, and which it has besides; "" where there are none of either."""
    parts = [f"lacks {count(len(missing), 'tensor')} of the model{_such_as(missing)}"] if missing else []
    parts += [f"has {len(unexpected):,} that the model does not have{_such_as(unexpected)}"] if unexpected else []
    return f"It {' and '.join(parts)}." if parts else ""


def _state(file: Path) -> str | None:
    """Return what is wrong with the file itself, whatever model it is of."""
    try:
        size = file.stat().st_size
        with file.open("rb") as stream:
            start = stream.read(8)
            if not size:
                return f"is empty. {_AGAIN}"
            if start.startswith(b"PK"):
                return _state_of_archive(file)
            if file.suffix == ".safetensors":
                length = int.from_bytes(start, "little")
                return _state_of_safetensors(stream.read(min(length, _MAX_HEADER)), length, size)
            if file.suffix not in _NUMPY and not start.startswith(_PICKLE):
                return _NO_WEIGHTS
    except OSError as error:
        return f"cannot be read: {error.strerror or error}."
    return None


def _state_of_archive(file: Path) -> str | None:
    if file.suffix == ".safetensors":
        return "is not a .safetensors file, as its name says, but perhaps one of PyTorch. Rename it to end in .pt."
    if not zipfile.is_zipfile(file):
        return f"is cut off or damaged. {_AGAIN}"
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError):  # of its list of members
        return f"is cut off or damaged. {_AGAIN}"
    return None if any(name.endswith("/data.pkl") for name in names) or file.suffix in _NUMPY else _NO_WEIGHTS


def _state_of_safetensors(header: bytes, length: int, size: int) -> str | None:
    """Compare the header, which says where tensors end, with the size of the file."""
    if not header.startswith(b"{"):
        return _NO_WEIGHTS
    if len(header) < length:
        return f"is cut off within its list of tensors. {_AGAIN}"
    try:
        entries = json.loads(header)
        end = 8 + length + max(entry["data_offsets"][1] for name, entry in entries.items() if name != "__metadata__")
    except (ValueError, TypeError, KeyError, IndexError):
        return f"is damaged: its list of tensors cannot be read. {_AGAIN}"
    return f"is cut off: {file_size(end - size)} of {file_size(end)} are missing. {_AGAIN}" if size < end else None


def _unreadable(error: Exception, file: Path) -> str | None:
    """Return why the library could not read the file, or None where it could."""
    errors = list(_with_causes(error))
    words = " ".join(map(str, errors))
    if named := _GLOBAL.search(words):
        return _has_code(f" ({named[1]})")
    if "call reduce for unrecognized" in words or "TorchScript" in words:
        return _has_code("")
    if "PytorchStreamReader" in words or "unexpected EOF" in words or isinstance(error, EOFError):
        return f"is cut off or damaged. {_AGAIN}"
    if isinstance(error, AttributeError | StopIteration) or any(isinstance(e, pickle.UnpicklingError) for e in errors):
        return _NO_WEIGHTS
    return _NO_WEIGHTS if isinstance(error, ValueError) and file.suffix in _NUMPY else None


def _with_causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and those from which it was raised; a library may put its own words before them."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _has_code(name: str) -> str:
    return (
        f"holds code{name}, which is never run: of a checkpoint, only tensors are read. Choose a file of tensors "
        "alone, such as .safetensors."
    )


def _mismatch(error: Exception) -> str:
    """Return what the library says about tensors that do not fit, shortened to a few of them."""
    if isinstance(error, KeyError) and str in map(type, error.args):
        return f"It lacks the tensor {error}."
    words = str(error)
    text, shapes = lacks_and_has(_listed("Missing", words), _listed("Unexpected", words)), _SHAPE.findall(words)
    if shapes:
        name, there, wanted = shapes[0]
        text += f" It has {count(len(shapes), 'tensor')} of another shape than the model's ({name}: {there} instead of "
        text += f"{wanted}{', …' if len(shapes) > 1 else ''})."
    return text.strip() or _shortened(" ".join(words.split()).rstrip(".") or type(error).__name__)


def _shortened(words: str) -> str:
    return f"{words}." if len(words) <= _MAX_WORDS else words[: _MAX_WORDS - 1].rsplit(" ", 1)[0] + " …"


def _listed(kind: str, words: str) -> list[str]:
    """Return the names of the tensors that torch lists as missing or unexpected."""
    found = re.search(rf'{kind} key\(s\) in state_dict: ((?:"[^"]*"(?:, )?)*)', words)
    return re.findall(r'"([^"]*)"', found[1]) if found else []


def _such_as(names: Sequence[str]) -> str:
    return f" ({', '.join(names[:2])}{', …' if len(names) > 2 else ''})" if names else ""
