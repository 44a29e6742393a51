"""Where an export goes: a folder, or a file with its companions beside it. Nothing half-written has the final name.

Everything is written into a temporary folder beside the target and renamed at the end. A folder has to be new or empty;
of existing files, those of an earlier export alone are replaced.
"""

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bam_engine.errors import ExchangeError
from bam_engine.exchange.manifest import MANIFEST, listed_files

CARD, CROISSANT, NOTICE = "README.md", "croissant.json", "GENERATED.txt"
"""The companions of an export, beside its manifest; the last one for generated images alone."""


@dataclass(frozen=True)
class Target:
    """A folder to write, or a file whose companions begin with its name: ``dataset.parquet``, ``dataset.README.md``."""

    path: Path
    single: bool

    def name(self, companion: str) -> str:
        """Return the name of a companion, such as ``README.md``, at this target."""
        return f"{self.path.stem}.{companion}" if self.single else companion

    @contextmanager
    def writing(self) -> Iterator[Path]:
        """Yield a temporary folder whose files get their final names when the block ends without an error.

        Raises
        ------
        ExchangeError
            The target exists and is not replaced, or cannot be written.
        """
        try:
            self.check()
            self.path.parent.mkdir(parents=True, exist_ok=True)
            temporary = self.path.with_name(f".{self.path.name}-{uuid.uuid4().hex}")
            temporary.mkdir()
            try:
                yield temporary
                self.check()
                self._rename(temporary)
            finally:
                shutil.rmtree(temporary, ignore_errors=True)
        except OSError as error:
            raise ExchangeError(
                f"Cannot write {self.path}: {error.strerror or error}. Nothing was left half-written."
            ) from error

    def check(self) -> None:
        """Raise an ``ExchangeError`` where the target exists and would not be replaced."""
        if self.single:
            self._check_files()
        elif self.path.is_dir() and any(self.path.iterdir()):
            raise ExchangeError(f"The folder {self.path} exists and is not empty. Name a new folder.")
        elif self.path.exists() and not self.path.is_dir():
            raise ExchangeError(f"{self.path} is a file, and the export is a folder. Name a new folder.")

    def _check_files(self) -> None:
        if self.path.is_dir():
            raise ExchangeError(f"{self.path} is a folder, and the export is a file. Name a file.")
        folder = self.path.parent
        written = listed_files(folder / self.name(MANIFEST))
        companions = [folder / self.name(name) for name in (CARD, CROISSANT, NOTICE, MANIFEST)]
        for file in (self.path, *companions):
            if file.exists() and file.name not in written:
                raise ExchangeError(
                    f"{file} exists and is not of an earlier export, and is not replaced. Name another file."
                )

    def _rename(self, temporary: Path) -> None:
        if not self.single:
            temporary.rename(self.path)  # also replaces an empty folder
            return
        for file in sorted(temporary.iterdir(), key=lambda file: file.name == self.name(MANIFEST)):
            file.replace(self.path.parent / file.name)
