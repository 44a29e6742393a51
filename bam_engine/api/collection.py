"""A collection of images as one object: what :func:`bam_engine.open` returns."""

import warnings
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bam_engine import maintenance
from bam_engine.annotation.templates import template
from bam_engine.api.attribute import AttributeHandle
from bam_engine.api.best_matches import best_matches
from bam_engine.api.encoders import comparison_table, results_table
from bam_engine.collection import IngestResult, ingest_folder
from bam_engine.database import backups
from bam_engine.errors import LearningError
from bam_engine.formatting import count as counted
from bam_engine.gallery import search
from bam_engine.labelling.tasks import attribute_of
from bam_engine.maintenance import Finding, Outcome
from bam_engine.progress import Report, silent
from bam_engine.reporting.export import export
from bam_engine.reporting.results import overlooked
from bam_engine.switching.moving import move
from bam_engine.training.comparison import train_behind
from bam_engine.workspace import Workspace
from bam_engine.workspace.membership import count_images, member_rows, rows_at
from bam_engine.workspace.vectors import EmbedSummary, embed_collection, embedded_rows


class Collection:
    """The images of one folder of work, with their embeddings, attributes and labels.

    Open one with :func:`bam_engine.open`, use it as a context manager or :meth:`close` it. Every image has a *row*, a
    number from 0 that never changes: it is the index of every DataFrame and array here.

    Attributes
    ----------
    workspace
        The same collection for the functions of the other rooms (``bam_engine.training``, ``bam_engine.maps``, …),
        which take a ``Workspace``.

    Examples
    --------
    >>> import bam_engine
    >>> with bam_engine.open("paintings") as bam:
    ...     bam.add_images("pictures").added
    60
    """

    def __init__(self, folder: Path, cache: Path | None = None, *, database_url: str | None = None) -> None:
        self._folder = folder
        self.workspace = Workspace(folder, folder / "cache" if cache is None else cache, database_url=database_url)

    def close(self) -> None:
        """Close the database and files. Everything is saved as soon as it is made."""
        self.workspace.close()

    def __enter__(self) -> "Collection":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __len__(self) -> int:
        return count_images(self.workspace)

    def __repr__(self) -> str:
        attributes = counted(len(self.workspace.attributes.all()), "attribute")
        return f"<Collection {self._folder}: {counted(len(self), 'image')}, {attributes}>"

    # Images

    def add_images(
        self,
        folder: str | Path,
        *,
        metadata: str | Path | None = None,
        project: Literal["none", "folder"] = "none",
        verify: bool = False,
        report: Report = silent,
    ) -> IngestResult:
        """Add the images of a folder and its subfolders. Files stay where they are; adding them again changes nothing.

        An image is its bytes: renamed files keep their rows, and a file that has changed is a new image.

        Parameters
        ----------
        folder
            Where the images are.
        metadata
            A CSV with a column ``path`` and any of ``title``, ``project``, ``license``, ``mature_content``.
        project
            ``"folder"`` makes each subfolder a project: images of one maker, of which some may be near-copies.
        verify
            Read every byte of known files, too. Otherwise those with an unchanged size and times are not read.
        report
            Called with (done, total, message) after each batch.

        Returns
        -------
        IngestResult
            Counts, and the files that could not be read as ``unreadable``, each with ``uri`` and ``reason``.

        Examples
        --------
        >>> result = bam.add_images("pictures")
        >>> result.existing, result.unreadable
        (60, [])
        """
        return ingest_folder(
            self.workspace.catalogue,
            self.workspace.thumbnails,
            folder,
            metadata=metadata,
            project=project,
            verify=verify,
            apart=self.workspace.own_folders,
            report=report,
        )

    def images(self) -> pd.DataFrame:
        """Return one line per image, by row.

        Columns are ``path``, ``title``, ``project``, ``width``, ``height``, ``license``, ``mature_content`` and
        ``embedded`` (whether the encoder in use has an embedding of it).

        Examples
        --------
        >>> images = bam.images()
        >>> print(images.loc[0, "width"], images.loc[0, "height"], images.loc[0, "embedded"])
        64 64 True
        """
        rows = member_rows(self.workspace)
        images = self.workspace.catalogue.images(rows)
        columns = {
            "path": [image.uri for image in images],
            "file": [image.status for image in images],
            "title": [image.title for image in images],
            "project": [image.project_id for image in images],
            "width": [image.width for image in images],
            "height": [image.height for image in images],
            "license": [image.license for image in images],
            "mature_content": [image.mature_content for image in images],
            "embedded": np.isin(rows, embedded_rows(self.workspace)),
        }
        return pd.DataFrame(columns, index=pd.Index(rows, name="row"))

    def remove_images(
        self, images: Iterable[int | str | Path], *, reason: str = "from Python", annotator: str | None = None
    ) -> int:
        """Take images out of the collection, by row or path (a folder: all images below it); return how many.

        They are asked, listed, counted and exported no more. Rows, embeddings and answers stay, so that
        :meth:`return_images` brings them back as they were. ``annotator`` is the name of the person who does it.

        Raises
        ------
        NotFound
            A path names no image.
        CollectionError
            None of the images is in the collection.

        Examples
        --------
        >>> bam.remove_images([0, 1], reason="covers", annotator="ada"), len(bam)
        (2, 58)
        >>> bam.return_images([0, 1]), len(bam)
        (2, 60)
        """
        by = self._actor(annotator)
        return self.workspace.removals.remove(self._rows(images), reason=reason, by=by).images

    def return_images(self, images: Iterable[int | str | Path], *, annotator: str | None = None) -> int:
        """Bring removed images back into the collection, by row or path; return how many there were.

        ``annotator`` is the name of the person who does it.

        Examples
        --------
        >>> bam.remove_images([5]), bam.return_images([5]), bam.return_images([5])
        (1, 1, 0)
        """
        return self.workspace.removals.bring_back(self._rows(images), by=self._actor(annotator))

    def _actor(self, annotator: str | None) -> int | None:
        return None if annotator is None else self.workspace.annotators.actor(annotator)

    def _rows(self, images: Iterable[int | str | Path]) -> NDArray[np.int64]:
        rows = [
            rows_at(self.workspace, each) if isinstance(each, str | Path) else np.array([each], np.int64)
            for each in images
        ]
        return np.unique(np.concatenate([np.empty(0, np.int64), *rows]))

    # Embeddings

    def embed(
        self, encoder: str | None = None, *, checkpoint: str | Path | None = None, report: Report = silent
    ) -> EmbedSummary:
        """Compute the embedding of every image that has none by this encoder, and use the encoder from now on.

        Where another one is in use, that stays in use until every image is embedded and every attribute that was
        trained has learned its labels with this one. What the other has stays with it, for when it is used again.

        Parameters
        ----------
        encoder
            ``"combined"``, ``"network"`` or ``"builtin"`` (no download), ``"timm:NAME"`` or
            ``"openclip:MODEL/PRETRAINED"``; by default the one in use.
        checkpoint
            A file of weights instead of those of the model hub.
        report
            Called with (done, total, message) after each batch.

        Raises
        ------
        LearningError
            An attribute cannot be trained with this encoder; the other one stays in use.

        Examples
        --------
        >>> bam.embed("builtin").failed
        0
        """
        if encoder is None:
            return embed_collection(self.workspace, report=report)
        moved = move(self.workspace, encoder, None if checkpoint is None else Path(checkpoint), report=report)
        if not moved.in_use:
            reasons = " ".join(f"{name}: {reason}" for name, reason in moved.failed)
            raise LearningError(
                f"The images are embedded with {encoder}, which is not in use, since not every attribute could be "
                f"trained with it. {reasons}"
            )
        return moved.embedded

    def embeddings(self) -> NDArray[np.float16]:
        """Return the embeddings by the encoder in use: float16 (n, d), of unit length, read-only.

        An image without an embedding has a row of zeros, and False in the column ``embedded`` of :meth:`images`. A
        removed image keeps its row, though :meth:`images` does not list it. The array is mapped from disk unless images
        were added since the last :meth:`embed`.

        Examples
        --------
        >>> vectors = bam.embeddings()
        >>> len(vectors) == len(bam), vectors.dtype
        (True, dtype('float16'))
        """
        vectors, n = self.workspace.vectors().array(), len(self.workspace.catalogue)
        if len(vectors) == n:
            return vectors
        padded = np.zeros((n, vectors.shape[1]), np.float16)
        padded[: len(vectors)] = vectors[:n]
        padded.flags.writeable = False
        return padded

    # Search

    def search(self, text: str, count: int = 20, *, by: Literal["meaning", "words"] | None = None) -> pd.DataFrame:
        """Return the ``count`` images that match a text best, best first, as the gallery finds them.

        Columns are ``path``, ``file``, ``title``, ``project`` and, by meaning, ``similarity``: the cosine with the
        text. ``attrs["searched"]`` says what was looked at, and ``attrs["matches"]`` how many images match in all.

        Parameters
        ----------
        by
            ``"meaning"`` needs an encoder that reads text (OpenCLIP). ``"words"`` looks for every word in titles,
            captions, project names and file names. By default by meaning where that is possible.

        Examples
        --------
        >>> found = bam.search("painting 42")
        >>> found.index.tolist(), found.attrs["searched"]
        ([42], 'file names of 60 images')
        """
        return best_matches(self.workspace, search.find(self.workspace, text, count, by=by))

    # Attributes

    def attributes(self) -> list[AttributeHandle]:
        """Return the attributes in the order in which they were added.

        Examples
        --------
        >>> [attribute.name for attribute in bam.attributes()]
        ['media_watercolor']
        """
        return list(self._handles())

    def _handles(self) -> Iterator[AttributeHandle]:
        for attribute in self.workspace.attributes.all():
            yield AttributeHandle(self.workspace, attribute)

    def attribute(self, name: str) -> AttributeHandle:
        """Return the attribute called ``name``; raise :class:`~bam_engine.errors.NotFound` where there is none.

        Examples
        --------
        >>> bam.attribute("media_watercolor").question
        'Is the picture a watercolour?'
        """
        return AttributeHandle(self.workspace, attribute_of(self.workspace, name))

    def add_attribute(
        self, name: str, question: str | None = None, *, kind: str = "own", instructions: str = ""
    ) -> AttributeHandle:
        """Add a yes/no question about every image.

        Parameters
        ----------
        name
            Lower-case letters, digits and underscores: a column of the dataset.
        question
            What annotators are asked; may be left out for the twenty attributes of BAM, which bring their own question
            and instructions (``bam_engine.annotation.BAM_ATTRIBUTES``).
        kind
            ``"content"``, ``"emotion"``, ``"media"`` or ``"own"``.
        instructions
            What counts and what does not.

        Examples
        --------
        >>> bam.add_attribute("is_pale", "Is the picture pale?")
        <AttributeHandle is_pale: Is the picture pale?>
        """
        if question is None:
            known = template(name)
            question, kind, instructions = known.question, known.kind, instructions or known.instructions
        return AttributeHandle(self.workspace, self.workspace.attributes.add(name, kind, question, instructions))

    def restore_attribute(self, name: str) -> AttributeHandle:
        """Bring an archived attribute back; raise :class:`~bam_engine.errors.NotFound` where none has the name.

        Examples
        --------
        >>> bam.attribute("media_watercolor").archive()
        >>> bam.restore_attribute("media_watercolor").name
        'media_watercolor'
        """
        archived = self.workspace.attributes.get_archived(name)
        return AttributeHandle(self.workspace, self.workspace.attributes.restore(archived.id))

    # Results

    def export(
        self,
        target: str | Path,
        *,
        form: Literal["sqlite", "csv"] = "sqlite",
        raw_text: bool = False,
        encoders: Mapping[str, str] = MappingProxyType({}),
        report: Report = silent,
    ) -> list[Path]:
        """Write the dataset and return the files: images, labels by people, scores, and labels by the thresholds.

        Parameters
        ----------
        target
            The file to write (``"sqlite"``, with the tables of BAM), or a folder (``"csv"``).
        raw_text
            Write texts into CSV files unchanged. By default an apostrophe precedes each text that a spreadsheet would
            take for a formula.
        encoders
            By attribute, the encoder whose scores and decisions are exported (its key, spec or name) instead of those
            of the encoder in use. The files name the encoder and model of each attribute. A warning says where another
            encoder has more behind its result, such as an audit, and none is given; :meth:`results` lists both.

        Examples
        --------
        >>> [path.name for path in bam.export("dataset", form="csv")]
        ['images.csv', 'annotations.csv', 'attributes.csv']
        """
        for name, other in overlooked(self.workspace, encoders).items():
            warnings.warn(
                f"{name}: {other.note} To export the other result: encoders={{{name!r}: {other.result.key!r}}}.",
                stacklevel=2,
            )
        return export(self.workspace, Path(target), form=form, raw_text=raw_text, encoders=encoders, report=report)

    def results(self) -> pd.DataFrame:
        """Return one line for each attribute and encoder with a model: what its result is worth.

        Columns are ``attribute``, ``encoder`` (its key), ``name``, ``in_use``, ``labels`` (that the model was trained
        on), ``threshold``, ``standing`` (audited, certified, saved, suggested or scored) and ``audited_precision``. The
        encoder in use comes first, then the best standing.

        Examples
        --------
        >>> bam.results()[["attribute", "encoder", "standing"]].iloc[0].tolist()
        ['media_watercolor', 'builtin-v1', 'saved']
        """
        return results_table(self.workspace)

    def compare_encoders(self, *, train: bool = False, report: Report = silent) -> pd.DataFrame:
        """Return one line for each attribute and encoder: its average precision on the same validation labels.

        Columns are ``attribute``, ``encoder`` (its key), ``name``, ``average_precision`` with its 95% limits ``low``
        and ``high``, ``n`` (validation labels), ``labels`` (that the model was trained on), ``current`` (whether they
        are those of today), ``behind``, by how much the average precision is below that of the attribute's best
        encoder, with limits ``behind_low`` and ``behind_high``, and ``problem``.

        Parameters
        ----------
        train
            First train the models that are missing or of other labels than those of today, of all encoders. One with a
            saved threshold or a certification is kept, since another training puts these out of use.
        report
            Called with (done, total, message) after each training.

        Examples
        --------
        >>> bam.compare_encoders()[["attribute", "encoder", "current"]].to_numpy().tolist()
        [['media_watercolor', 'builtin-v1', True]]
        """
        if train:
            train_behind(self.workspace, report=report)
        return comparison_table(self.workspace)

    # Keeping

    def backup(self, file: str | Path, *, replace: bool = False) -> Path:
        """Write everything that people have entered to one file, also while others write; return its absolute path.

        Images and what can be recomputed are not in it. :func:`bam_engine.restore` brings it back.

        Parameters
        ----------
        replace
            Replace the file if it exists.

        Examples
        --------
        >>> bam.backup("labels.sqlite").name
        'labels.sqlite'
        """
        return backups.back_up(self.workspace.engine, Path(file), replace=replace)

    def check(self, *, images: bool = True, report: Report = silent) -> list[Finding]:
        """Return what is damaged: of the database, its copies, the image files and what was derived from them.

        Each finding says ``what`` is damaged and its ``cure``, and whether it is ``repairable``. Nothing is changed.

        Parameters
        ----------
        images
            Compare every image file with the image that was added.

        Examples
        --------
        >>> bam.check()
        []
        """
        return maintenance.check(self.workspace, images=images, report=report)

    def repair(self, findings: Iterable[Finding], *, report: Report = silent) -> list[Outcome]:
        """Derive again what :meth:`check` found damaged; no label and no image file is changed.

        Returns
        -------
        list of Outcome
            For each finding that is repairable, ``finding`` and ``problem``: why it could not be repaired, or "".

        Examples
        --------
        >>> bam.repair(bam.check())
        []
        """
        repairable = [finding for finding in findings if finding.repairable]
        return maintenance.repair(repairable, report=report)
