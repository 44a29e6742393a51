"""The classes that other tools have given to images."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from bam_engine.labelling import class_answers
from bam_engine.labelling.class_answers import ImportedClasses
from bam_engine.workspace import Workspace


class ClassLabels:
    """What a :class:`~bam_engine.Collection` does with the classes of COCO, FiftyOne and folders."""

    workspace: Workspace

    def classes_of(self, source: str | Path, *, field: str | None = None) -> dict[str, int]:
        """Return the classes of a source, the most frequent first, and how many images of the collection show each.

        Parameters
        ----------
        source
            A COCO or LVIS file, a folder that FiftyOne exported, or a folder with a folder for each class.
        field
            The field of FiftyOne's samples to read, where several have classes.

        Examples
        --------
        >>> bam.classes_of("annotations/instances_val2017.json")["dog"]  # doctest: +SKIP
        177
        """
        return class_answers.find_classes(self.workspace, Path(source), label_field=field).counts

    def import_classes(
        self,
        source: str | Path,
        classes: Mapping[str, str] | Iterable[str],
        *,
        annotator: str,
        complete: bool = False,
        field: str | None = None,
    ) -> list[ImportedClasses]:
        """Store classes as the votes of a named source, like ``bam labels import-classes``.

        Parameters
        ----------
        source, field
            As in :meth:`classes_of`.
        classes
            The classes to store; as a mapping, with the attribute of each. A class without one is a label of the
            attribute that is called like it, which is added where it is missing.
        annotator
            Who gave the labels, such as "COCO".
        complete
            Whether an image that is not said to show a class does not show it.

        Returns
        -------
        list of ImportedClasses
            For each attribute its name, its ``classes``, what was ``stored``, and whether it was ``added``.

        Examples
        --------
        >>> imported = bam.import_classes("pets", ["dog"], annotator="folders", complete=True)  # doctest: +SKIP
        >>> imported[0].attribute, imported[0].stored.yes  # doctest: +SKIP
        ('dog', 177)
        """
        wanted = dict(classes) if isinstance(classes, Mapping) else dict.fromkeys(classes, "")
        found = class_answers.find_classes(self.workspace, Path(source), label_field=field)
        return class_answers.import_classes(self.workspace, found, wanted, annotator=annotator, complete=complete)
