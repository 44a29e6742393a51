"""Opening encoders by spec.

In:  a spec and optionally a checkpoint file. Out: an :class:`Encoder`, or only the key of its vectors. Model libraries
are imported only when one of their models is opened.

Specs::

    combined                                      network and descriptors as one vector: the default
    network                                       EfficientNet-Lite0, whose weights are installed with the program
    builtin                                       classical descriptors, no weights
    timm:NAME                                     a timm model without its classifier
    openclip:MODEL/PRETRAINED                     a CLIP model, for images and text
    timm:NAME?pad_type=same&mean=0.5&std=0.5      options after "?", joined by "&"

The options ``mean``, ``std`` (one number, or three separated by commas) and ``size`` (pixels) describe the input; all
others are parameters of the model, see :mod:`.options`. With a checkpoint file, ``openclip:MODEL`` is enough; if
PRETRAINED is given too, it defines the preprocessing and the file provides the weights.
"""

import ast
import functools
import hashlib
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from bam_engine.embedding.base import Encoder, Spec
from bam_engine.embedding.options import check_options
from bam_engine.errors import EmbeddingError
from bam_engine.files import open_ordinary

DEFAULT_ENCODER = "combined"
"""The encoder of a new collection."""
IN_THE_BOX = ("combined", "network", "builtin")
"""The kinds that are one encoder each: they have no name, no options and no checkpoint."""
KINDS = (*IN_THE_BOX, "timm", "openclip")
PREPROCESSING_VERSION = 1
"""Version of the preprocessing for timm and openclip models; part of their keys."""


def open_encoder(spec: str, *, checkpoint: Path | None = None) -> Encoder:
    """Open the encoder given by ``spec``.

    Parameters
    ----------
    spec
        ``combined``, ``network``, ``builtin``, ``timm:NAME`` or ``openclip:MODEL/PRETRAINED``, options after ``?`` (see
        the module).
    checkpoint
        A file of weights (``.safetensors``, or a PyTorch file with tensors only). By default timm and openclip load the
        weights from their hub or its local cache.

    Raises
    ------
    EmbeddingError
        The name is unknown (similar names are suggested), an option is not valid, the file does not fit, the hub cannot
        be reached, or installed weights are missing or damaged.

    Examples
    --------
    >>> open_encoder("builtin").key
    'builtin-v1'
    """
    parsed = parse_spec(spec)
    check_options(parsed)
    key = encoder_key(spec, checkpoint)
    try:
        return _opened(parsed, key, checkpoint)
    except ImportError as error:
        raise EmbeddingError(
            f"The encoder {spec} needs the library {error.name}, which cannot be imported ({error}). Install what "
            "requirements.txt names, or choose another encoder. What this one has embedded stays usable."
        ) from error


def _opened(parsed: Spec, key: str, checkpoint: Path | None) -> Encoder:
    if parsed.kind == "timm":
        from bam_engine.embedding.timm_encoder import TimmEncoder

        return TimmEncoder(parsed, key, checkpoint)
    if parsed.kind == "openclip":
        from bam_engine.embedding.openclip_encoder import OpenClipEncoder

        return OpenClipEncoder(parsed, key, checkpoint)
    if parsed.kind == "combined":
        from bam_engine.embedding.combined import CombinedEncoder

        return CombinedEncoder()
    if parsed.kind == "network":
        from bam_engine.embedding.network import NetworkEncoder

        return NetworkEncoder()
    from bam_engine.embedding.builtin import BuiltinEncoder

    return BuiltinEncoder()


def encoder_key(spec: str, checkpoint: Path | None = None) -> str:
    """Return the key of an encoder without opening it: its kind, name, version and checkpoint digest.

    Raises
    ------
    EmbeddingError
        The spec is invalid, or the checkpoint file does not exist.
    """
    parsed = parse_spec(spec)
    if parsed.kind in IN_THE_BOX:
        if checkpoint is not None:
            raise EmbeddingError(f"The encoder {parsed.kind} takes no weights, so {checkpoint} cannot be used with it.")
        return _key_in_the_box(parsed.kind)
    plain = parsed.name.replace("/", "@")
    safe = re.sub(r"[^A-Za-z0-9@._-]+", "_", plain)[:80]
    parts = [parsed.kind, safe, f"v{PREPROCESSING_VERSION}"]
    if parsed.options or safe != plain:
        description = repr((parsed.name, sorted(parsed.options.items())))
        parts.append(hashlib.sha256(description.encode()).hexdigest()[:8])
    if checkpoint is not None:
        parts.append("w" + _digest(checkpoint)[:12])
    return "-".join(parts)


def _key_in_the_box(kind: str) -> str:
    from bam_engine.embedding import builtin, combined, network

    return {"combined": combined.KEY, "network": network.KEY, "builtin": builtin.KEY}[kind]


def parse_spec(spec: str) -> Spec:
    """Parse a spec.

    Raises
    ------
    EmbeddingError
        The spec has none of the forms described in this module.
    """
    text = spec.strip()
    head, _, query = text.partition("?")
    kind, _, name = head.partition(":")
    alone = kind in IN_THE_BOX
    if kind not in KINDS or alone == bool(name) or (alone and query):
        raise EmbeddingError(
            f"{spec!r} is not a valid encoder. Use combined, network, builtin, timm:NAME or "
            "openclip:MODEL/PRETRAINED, for example timm:resnet18."
        )
    try:
        pairs = parse_qsl(query, strict_parsing=True) if query else []
    except ValueError as error:
        raise EmbeddingError(
            f"The options {query!r} of {head} are invalid. Write them as key=value&key=value."
        ) from error
    return Spec(text, kind, name, {key: _value(written) for key, written in pairs})


def _value(written: str) -> Any:
    """Parse an option: a Python number, tuple, True, False or None, otherwise the text itself."""
    try:
        return ast.literal_eval(written)
    except (ValueError, SyntaxError):
        return written


def _digest(file: Path) -> str:
    try:
        state = file.stat()
    except OSError as error:
        raise EmbeddingError(f"Cannot read the checkpoint {file}: {error.strerror}.") from error
    if not file.is_file():
        raise EmbeddingError(f"The checkpoint {file} is not a file.")
    try:
        return _digest_of(file.absolute(), state.st_size, state.st_mtime_ns)
    except OSError as error:
        raise EmbeddingError(f"Cannot read the checkpoint {file}: {error.strerror or error}.") from error


@functools.lru_cache(maxsize=16)
def _digest_of(file: Path, _size: int, _changed: int) -> str:
    """Return the SHA-256 of a file, cached until the file changes, because pages need the key often."""
    with open_ordinary(file) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
