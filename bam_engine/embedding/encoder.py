"""From a spec to an encoder: how one is named, opened, and known by its key.

In:  a spec and perhaps a checkpoint file. Out: an :class:`Encoder`, or only the key its vectors are stored under. Knows
nothing of stores or collections. No model library is imported before a model of it is opened.

Specs::

    builtin                                       classical descriptors, no weights
    timm:NAME                                     a timm model without its classifier
    openclip:MODEL/PRETRAINED                     a CLIP model, for images and text
    timm:NAME?pad_type=same&mean=0.5&std=0.5      options after "?", joined by "&"

Options ``mean``, ``std`` (one number or three with commas) and ``size`` (pixels) describe the input; every other option
goes to the model's constructor as it is. With a checkpoint file ``openclip:MODEL`` suffices; where PRETRAINED is given
too, it says how the input is prepared and the file gives the weights.
"""

import ast
import functools
import hashlib
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from bam_engine.embedding.base import Encoder, Spec
from bam_engine.errors import EmbeddingError

KINDS = ("builtin", "timm", "openclip")
PREPROCESSING_VERSION = 1
"""Version of how images are made ready for timm and openclip models; part of their keys."""


def open_encoder(spec: str, *, checkpoint: Path | None = None) -> Encoder:
    """Open the encoder that ``spec`` names.

    Parameters
    ----------
    spec
        ``builtin``, ``timm:NAME`` or ``openclip:MODEL/PRETRAINED``, options after ``?`` (see the module).
    checkpoint
        A file of weights (``.safetensors``, or a PyTorch file that holds tensors only); without it timm and openclip
        take the weights from their hub, or from its copy on this machine.

    Raises
    ------
    EmbeddingError
        The name is not known (near names are given), the file does not fit, or the hub cannot be reached.

    Examples
    --------
    >>> open_encoder("builtin").key
    'builtin-v1'
    """
    parsed = parse_spec(spec)
    key = encoder_key(spec, checkpoint)
    if parsed.kind == "timm":
        from bam_engine.embedding.timm_encoder import TimmEncoder

        return TimmEncoder(parsed, key, checkpoint)
    if parsed.kind == "openclip":
        from bam_engine.embedding.openclip_encoder import OpenClipEncoder

        return OpenClipEncoder(parsed, key, checkpoint)
    from bam_engine.embedding.builtin import BuiltinEncoder

    return BuiltinEncoder()


def encoder_key(spec: str, checkpoint: Path | None = None) -> str:
    """Return the key of the encoder without opening it: its kind, name, version and a digest of its checkpoint.

    Raises
    ------
    EmbeddingError
        The spec cannot be understood, or the checkpoint file is not there.
    """
    parsed = parse_spec(spec)
    if parsed.kind == "builtin":
        if checkpoint is not None:
            raise EmbeddingError(f"the builtin encoder has no weights: {checkpoint} cannot be used with it.")
        from bam_engine.embedding.builtin import KEY

        return KEY
    plain = parsed.name.replace("/", "@")
    safe = re.sub(r"[^A-Za-z0-9@._-]+", "_", plain)[:80]
    parts = [parsed.kind, safe, f"v{PREPROCESSING_VERSION}"]
    if parsed.options or safe != plain:
        told = repr((parsed.name, sorted(parsed.options.items())))
        parts.append(hashlib.sha256(told.encode()).hexdigest()[:8])
    if checkpoint is not None:
        parts.append("w" + _digest(checkpoint)[:12])
    return "-".join(parts)


def parse_spec(spec: str) -> Spec:
    """Take a spec apart.

    Raises
    ------
    EmbeddingError
        It is none of the forms of this module.
    """
    text = spec.strip()
    head, _, query = text.partition("?")
    kind, _, name = head.partition(":")
    if kind not in KINDS or (kind == "builtin") == bool(name) or (kind == "builtin" and query):
        raise EmbeddingError(
            f"{spec!r} names no encoder. Write builtin, timm:NAME or openclip:MODEL/PRETRAINED, "
            "for example timm:resnet18."
        )
    try:
        pairs = parse_qsl(query, strict_parsing=True) if query else []
    except ValueError as error:
        raise EmbeddingError(f"the options {query!r} of {head} are not of the form key=value&key=value.") from error
    return Spec(text, kind, name, {key: _value(written) for key, written in pairs})


def _value(written: str) -> Any:
    """Read an option: a Python number, tuple, True, False or None, or else the text itself."""
    try:
        return ast.literal_eval(written)
    except (ValueError, SyntaxError):
        return written


def _digest(file: Path) -> str:
    try:
        state = file.stat()
    except OSError as error:
        raise EmbeddingError(f"the checkpoint {file} cannot be read: {error.strerror}.") from error
    if not file.is_file():
        raise EmbeddingError(f"the checkpoint {file} is not a file.")
    return _digest_of(file.absolute(), state.st_size, state.st_mtime_ns)


@functools.lru_cache(maxsize=16)
def _digest_of(file: Path, _size: int, _changed: int) -> str:
    """Hash a file once for as long as it stays the same: pages ask for the key at every turn."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
