"""A collection of images as one object: what :func:`bam_engine.open` returns."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType

from bam_engine import maintenance
from bam_engine.annotation.templates import template
from bam_engine.api.annotators import Annotators
from bam_engine.api.attribute import AttributeHandle
from bam_engine.api.bam_file import BamFile
from bam_engine.api.class_labels import ClassLabels
from bam_engine.api.duplicates import Duplicates
from bam_engine.api.embeddings import Embeddings
from bam_engine.api.images import Images
from bam_engine.api.picture_problems import PictureProblems
from bam_engine.api.proposals import Proposals
from bam_engine.api.results import Results
from bam_engine.api.snapshots import Snapshots
from bam_engine.api.tags import Tags
from bam_engine.database import backups
from bam_engine.formatting import count as counted
from bam_engine.labelling.tasks import attribute_of
from bam_engine.maintenance import Finding, Outcome
from bam_engine.progress import Report, silent
from bam_engine.workspace import Workspace


class Collection(
    Images,
    PictureProblems,
    Duplicates,
    BamFile,
    ClassLabels,
    Tags,
    Annotators,
    Proposals,
    Embeddings,
    Results,
    Snapshots,
):
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

    def __repr__(self) -> str:
        attributes = counted(len(self.workspace.attributes.all()), "attribute")
        return f"<Collection {self._folder}: {counted(len(self), 'image')}, {attributes}>"

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
            A title, such as "Oil painting"; the column of the dataset is ``oil_painting``.
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
