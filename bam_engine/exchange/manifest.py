"""The manifest of an export: the size and the SHA-256 of each of its files, written last and checked by anybody."""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bam_engine.errors import ExchangeError
from bam_engine.files import open_ordinary
from bam_engine.progress import Report, silent

MANIFEST = "manifest.json"

_KIND = "bam export, 1"


@dataclass(frozen=True)
class Fault:
    """A file of an export that is not as it was written, by its path in the export, and what is wrong, in words."""

    path: str
    problem: str


def write_manifest(
    folder: Path,
    name: str,
    *,
    version: str,
    known: Mapping[str, str] = MappingProxyType({}),
    report: Report = silent,
) -> None:
    """Write the manifest of all files of ``folder`` to ``name`` in it.

    Parameters
    ----------
    version
        Of the program that made the export.
    known
        Path in the folder → SHA-256, for files that need not be read again.
    """
    paths = sorted(_paths(folder))
    with (folder / name).open("w", encoding="utf-8") as file:
        file.write(f'{{"kind": {json.dumps(_KIND)}, "program": {json.dumps(f"bam {version}")}, "files": [')
        for done, path in enumerate(paths):
            size = (folder / path).stat().st_size
            line = {"path": path, "bytes": size, "sha256": known.get(path) or sha256_of(folder / path)}
            file.write((",\n" if done else "\n") + json.dumps(line, ensure_ascii=False))
            report(done + 1, len(paths), "checksums")
        file.write("\n]}\n")


def listed_files(manifest: Path) -> frozenset[str]:
    """Return the names of the files of an export with this manifest, itself included; empty if there is none."""
    try:
        return frozenset([manifest.name, *(line["path"] for line in _read(manifest))])
    except ExchangeError:
        return frozenset()


def manifest_of(export: Path) -> Path:
    """Return the manifest of an export, given by its folder, its file or the manifest itself."""
    if export.is_dir():
        return export / MANIFEST
    return export if export.name.endswith(MANIFEST) else export.with_name(f"{export.stem}.{MANIFEST}")


def check_export(export: Path, *, report: Report = silent) -> list[Fault]:
    """Return the files of an export that are missing, changed, or in its folder without being listed.

    Parameters
    ----------
    export
        The folder, the file or the manifest.

    Raises
    ------
    ExchangeError
        There is no manifest, or it is damaged.
    """
    manifest = manifest_of(export)
    files = _read(manifest)
    faults = []
    for done, line in enumerate(files):
        problem = _problem(manifest.parent, line)
        if problem:
            faults.append(Fault(line["path"], problem))
        report(done + 1, len(files), line["path"])
    if manifest.name == MANIFEST:
        known = {MANIFEST, *(line["path"] for line in files)}
        faults += [
            Fault(path, "is not in the manifest") for path in sorted(_paths(manifest.parent)) if path not in known
        ]
    return faults


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with open_ordinary(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _problem(folder: Path, line: Mapping[str, Any]) -> str:
    """Return what is wrong with a file, "" if nothing is."""
    path = folder / line["path"]
    try:
        size = path.stat().st_size
        if size != line["bytes"]:
            return f"has {size:,} bytes in place of {line['bytes']:,}"
        return "" if sha256_of(path) == line["sha256"] else "has other content of the same size"
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"


def _paths(folder: Path) -> Iterator[str]:
    """Yield the paths of all files below a folder, relative to it, with slashes."""
    for parent, _, names in os.walk(folder):
        yield from (Path(parent, name).relative_to(folder).as_posix() for name in names)


def _read(manifest: Path) -> list[dict[str, Any]]:
    try:
        with open_ordinary(manifest) as file:
            content = json.load(file)
        files: list[dict[str, Any]] = content["files"]
        if content["kind"] != _KIND or not all(
            isinstance(line["path"], str) and line["bytes"] >= 0 and line["sha256"] for line in files
        ):
            raise ValueError("it is of another kind")
    except FileNotFoundError as error:
        raise ExchangeError(
            f"There is no manifest at {manifest}. Give the folder or the file of an export that has one beside it."
        ) from error
    except OSError as error:
        raise ExchangeError(f"Cannot read {manifest}: {error.strerror or error}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ExchangeError(f"{manifest} is damaged, or no manifest of an export. Export the dataset again.") from error
    return files
