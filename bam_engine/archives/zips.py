"""The pictures of a zip file, read one at a time.

In:  a zip file. Out: its members, as :mod:`.members` describes them.
"""

import stat
import zipfile
import zlib
from collections.abc import Iterator
from lzma import LZMAError
from pathlib import Path
from typing import BinaryIO, cast

from bam_engine.archives.members import Contents, Member, claims_picture, is_hidden, path_problem, read_member
from bam_engine.errors import CollectionError
from bam_engine.files import open_ordinary

_ENCRYPTED = 0x1


def open_zip(path: Path) -> Contents:
    """Return the contents of a zip file.

    Raises
    ------
    CollectionError
        It is damaged, so that nothing in it can be found.
    """
    opened = open_ordinary(path)
    try:
        file = zipfile.ZipFile(opened)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        opened.close()
        raise CollectionError(f"{path.name} is a damaged zip file ({error}). Download or pack it again.") from error
    entries = [entry for entry in file.infolist() if not entry.is_dir()]
    contents = Contents(iter(()), len(entries))
    contents.members = _members(file, entries, contents)
    return contents


def _members(file: zipfile.ZipFile, entries: list[zipfile.ZipInfo], contents: Contents) -> Iterator[Member]:
    with cast(BinaryIO, file.fp), file:
        for entry in entries:
            member = None if is_hidden(entry.filename) else _member(file, entry)
            if member is not None:
                yield member
            elif is_hidden(entry.filename):
                contents.hidden += 1
            else:
                contents.skipped += 1


def _member(file: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Member | None:
    name = entry.filename
    if stat.S_ISLNK(entry.external_attr >> 16):
        return Member(name, problem="It is a symbolic link, which is not followed.")
    if path_problem(name) and claims_picture(name):
        return Member(name, problem=path_problem(name))
    if entry.flag_bits & _ENCRYPTED:
        return Member(name, problem="It is encrypted. Unpack the archive with its password and add the folder.")
    try:
        return read_member(name, entry.file_size, entry.compress_size, lambda: cast(BinaryIO, file.open(entry)))
    except (zipfile.BadZipFile, zlib.error, LZMAError, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        return Member(name, problem=f"It is damaged in the archive, or packed in an unknown way ({error}).")
