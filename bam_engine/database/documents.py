"""Dataclasses stored as versioned JSON: one writer and one tolerant reader.

In:  a frozen dataclass of plain values, tuples and paths. Out: an object with its fields and ``version``, and back. A
document without a version is of version 1.
"""

from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from bam_engine.errors import BamError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Document = TypeVar("Document", bound=DataclassInstance)
else:
    Document = TypeVar("Document")


def to_document(value: "DataclassInstance", *, version: int = 1) -> dict[str, Any]:
    """Return the fields of ``value`` and ``version`` as an object for JSON; a path becomes its text."""
    plain = {name: str(each) if isinstance(each, Path) else each for name, each in asdict(value).items()}
    return {"version": version, **plain}


def from_document(kind: type[Document], stored: Any, *, what: str, version: int = 1) -> Document:
    """Return the value of ``kind`` that :func:`to_document` wrote; lists become tuples.

    Fields that ``kind`` does not have are ignored, and those that the document lacks have their default. ``what`` names
    the document in messages, such as "the choice of the encoder".

    Raises
    ------
    BamError
        The document is of a later version, is no object, or lacks a field that has no default.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Choice:
    ...     spec: str
    ...     size: int = 224
    >>> from_document(Choice, {"spec": "builtin", "colour": "red"}, what="the choice")
    Choice(spec='builtin', size=224)
    """
    if not isinstance(stored, Mapping):
        raise BamError(
            f"Cannot read {what} in this workspace: it is not a JSON object. Restore a backup, or set it again."
        )
    written = stored.get("version", 1)
    if not isinstance(written, int) or written > version:
        raise BamError(
            f"Cannot read {what} in this workspace: it has version {written}, and this program reads version "
            f"{version}. Use the version of the program that wrote it."
        )
    missing = [
        field.name
        for field in fields(kind)
        if field.name not in stored and field.default is MISSING and field.default_factory is MISSING
    ]
    if missing:
        raise BamError(
            f"Cannot read {what} in this workspace: {', '.join(missing)} is missing. Restore a backup, or set it again."
        )
    return kind(**{field.name: _frozen(stored[field.name]) for field in fields(kind) if field.name in stored})


def _frozen(value: Any) -> Any:
    return tuple(_frozen(each) for each in value) if isinstance(value, list) else value
