"""Labels of other tools that name classes, read from their files: which pictures show a class, and which do not.

In:  a COCO file of annotations, a dataset that FiftyOne exported, or a folder with a folder for each class. Out: by
class the paths of pictures. Knows no store.
"""

import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bam_engine.collection.formats import READABLE_SUFFIXES
from bam_engine.errors import ExchangeError
from bam_engine.files import check_ordinary

_LABELS = ("Classification", "Classifications", "Detections", "Detection")
"""The kinds of FiftyOne's labels that name a class."""

_FILES = ("samples.json", "labels.json")
"""The files in a folder that FiftyOne exported, which tell of its pictures."""


@dataclass(frozen=True)
class ClassLabels:
    """What a source says of its pictures.

    Attributes
    ----------
    kind
        What the source is, in words.
    pictures
        The paths of all pictures that it tells of, in its order: absolute, relative to ``folder``, or ends of paths.
    shown, not_shown
        By class the paths of pictures that are said to show it, and of those that are said not to. A class is in
        ``shown`` also where no picture shows it.
    folder
        The folder that paths are relative to.
    unclear
        What cannot be used: why → the places, such as "annotation 7".
    """

    kind: str
    pictures: tuple[str, ...]
    shown: Mapping[str, frozenset[str]]
    not_shown: Mapping[str, frozenset[str]]
    folder: Path
    unclear: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def read_classes(source: Path, *, label_field: str | None = None) -> ClassLabels:
    """Read the classes of pictures.

    Parameters
    ----------
    source
        A COCO file (``images``, ``annotations``, ``categories``; the ``neg_category_ids`` of LVIS say what a picture
        does not show). Or a folder or file that FiftyOne wrote (``FiftyOneDataset``, ``FiftyOneImageClassification
        Dataset``, ``COCODetectionDataset``). Or a folder of pictures, each in the folder of its class.
    label_field
        The field of FiftyOne's samples to read; needed where several have classes.

    Raises
    ------
    ExchangeError
        The file cannot be read, is none of these, or the field is missing or has to be chosen.

    Examples
    --------
    >>> labels = read_classes(Path("annotations/instances_val2017.json"))  # doctest: +SKIP
    >>> len(labels.pictures), len(labels.shown["dog"])  # doctest: +SKIP
    (5000, 177)
    """
    file = next((source / name for name in _FILES if (source / name).is_file()), None) if source.is_dir() else source
    if file is None:
        found = _folders(source)
    else:
        content = _read(file)
        reader = next((read for keys, read in _READERS if keys <= content.keys()), None)
        if reader is None:
            raise ExchangeError(
                f"{file} has no classes of pictures. It is neither COCO (images, annotations and categories) nor "
                "written by FiftyOne (samples, or classes and labels)."
            )
        found = reader(content, file, label_field)
    if label_field is not None and found.kind != _SAMPLES:
        raise ExchangeError(f"{source} has no fields to choose from: it is {found.kind}. Leave the field out.")
    if not found.shown:
        raise ExchangeError(f"{source} names no classes.")
    return found


class _Collected:
    """Paths by class, and what is unclear, while a source is read."""

    def __init__(self) -> None:
        self.shown: defaultdict[str, set[str]] = defaultdict(set)
        self.not_shown: defaultdict[str, set[str]] = defaultdict(set)
        self.unclear: defaultdict[str, list[str]] = defaultdict(list)

    def as_labels(self, kind: str, pictures: Iterable[str], folder: Path) -> ClassLabels:
        return ClassLabels(
            kind,
            tuple(dict.fromkeys(pictures)),
            {name: frozenset(paths) for name, paths in self.shown.items()},
            {name: frozenset(paths) for name, paths in self.not_shown.items()},
            folder,
            {why: tuple(places) for why, places in self.unclear.items()},
        )


def _read(file: Path) -> dict[str, Any]:
    try:
        check_ordinary(file)
        content = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ExchangeError(f"Cannot read {file} as JSON: {reason}.") from error
    if not isinstance(content, dict):
        raise ExchangeError(f"{file} is no dataset: its JSON is a list or a value, and not an object.")
    return content


def _records(content: Mapping[str, Any], key: str, file: Path) -> list[Mapping[str, Any]]:
    records = content[key]
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise ExchangeError(f"{file} is damaged: its {key} are no list of objects.")
    return records


# COCO ---------------------------------------------------------------------------------------------------------------


def _coco(content: Mapping[str, Any], file: Path, label_field: str | None) -> ClassLabels:
    collected = _Collected()
    names = {_key(record.get("id")): str(record.get("name")) for record in _records(content, "categories", file)}
    images = _records(content, "images", file)
    paths = {_key(record.get("id")): str(record["file_name"]) for record in images if record.get("file_name")}
    collected.shown.update((name, set()) for name in names.values())  # one that nothing shows is a class, too
    for number, record in enumerate(_records(content, "annotations", file), start=1):
        picture, category = _key(record.get("image_id")), _key(record.get("category_id"))
        if picture in paths and category in names:
            collected.shown[names[category]].add(paths[picture])
        else:
            missing = "category" if picture in paths else "picture"
            collected.unclear[f"annotation of a {missing} that the file does not have"].append(f"annotation {number:,}")
    for record in images:
        for category in record.get("neg_category_ids") or ():
            if _key(category) in names and _key(record.get("id")) in paths:
                collected.not_shown[names[_key(category)]].add(paths[_key(record.get("id"))])
    return collected.as_labels("a COCO file", paths.values(), file.parent)


def _key(value: Any) -> str:
    return repr(value)  # 1 is not "1", and what no dictionary may have as a key matches nothing


# FiftyOne -----------------------------------------------------------------------------------------------------------

_SAMPLES = "a dataset of FiftyOne"


def _samples(content: Mapping[str, Any], file: Path, label_field: str | None) -> ClassLabels:
    collected = _Collected()
    samples = _records(content, "samples", file)
    name = _chosen_field(samples, file, label_field)
    pictures = []
    for number, sample in enumerate(samples, start=1):
        path = sample.get("filepath")
        if not isinstance(path, str) or not path:
            collected.unclear["sample without a path"].append(f"sample {number:,}")
            continue
        pictures.append(path)
        for label in _names_of(sample.get(name)):
            collected.shown[label].add(path)
    return collected.as_labels(_SAMPLES, pictures, file.parent)


def _chosen_field(samples: Iterable[Mapping[str, Any]], file: Path, wanted: str | None) -> str:
    """Return the field of the classes: the one that is wanted, or the only one."""
    there = sorted({name for sample in samples for name, value in sample.items() if _is_label(value)})
    if wanted in there:
        return wanted
    names = ", ".join(there) or "none"
    if wanted is not None:
        raise ExchangeError(f"{file} has no field {wanted} with classes. Its fields with classes: {names}.")
    if len(there) != 1:
        raise ExchangeError(f"Choose a field of {file} with --field. Its fields with classes: {names}.")
    return there[0]


def _is_label(value: Any) -> bool:
    return isinstance(value, dict) and value.get("_cls") in _LABELS


def _names_of(value: Any) -> Iterator[str]:
    """Yield the classes of a label of FiftyOne: of one, or of a list of them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from _names_of(one)
    elif isinstance(value, dict):
        for inner in ("label", "classifications", "detections"):
            yield from _names_of(value.get(inner))


def _classification(content: Mapping[str, Any], file: Path, label_field: str | None) -> ClassLabels:
    """Read labels of pictures that are named without the end of their files' names."""
    collected = _Collected()
    classes, labels = content["classes"], content["labels"]
    if not isinstance(labels, dict) or not isinstance(classes, list | None):
        raise ExchangeError(f"{file} is damaged: its labels are no object, or its classes no list.")
    collected.shown.update((str(name), set()) for name in classes or ())
    data = file.parent / "data"
    by_name = {str(path.relative_to(data).with_suffix("")): str(path) for path in _pictures_below(data)}
    pictures = []
    for key, value in labels.items():
        path = by_name.get(str(key), str(key))
        pictures.append(path)
        for one in value if isinstance(value, list) else [value]:
            for name in _by_number(one, classes or []):
                collected.shown[name].add(path)
    return collected.as_labels("labels of FiftyOne", pictures, file.parent)


def _by_number(value: Any, classes: list[Any]) -> Iterator[str]:
    """Yield a class that is named, or the number of one."""
    if isinstance(value, int) and not isinstance(value, bool):
        if 0 <= value < len(classes):
            yield str(classes[value])
    else:
        yield from _names_of(value)


# Folders ------------------------------------------------------------------------------------------------------------


def _folders(folder: Path) -> ClassLabels:
    collected = _Collected()
    pictures = []
    for path in _pictures_below(folder):
        if path.parent == folder:
            collected.unclear["picture in no folder of a class"].append(path.name)
            continue
        pictures.append(str(path))
        collected.shown[path.parent.name].add(str(path))
    if not pictures:
        raise ExchangeError(f"{folder} has no folders of classes with pictures, and no samples.json or labels.json.")
    return collected.as_labels("a folder for each class", pictures, folder)


def _pictures_below(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder that are called like pictures, in the order of their names."""
    for place, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            if os.path.splitext(name)[1].lower() in READABLE_SUFFIXES and not name.startswith("."):  # noqa: PTH122
                yield Path(place, name)


_READERS: tuple[tuple[set[str], Callable[[Mapping[str, Any], Path, str | None], ClassLabels]], ...] = (
    ({"images", "annotations", "categories"}, _coco),
    ({"samples"}, _samples),
    ({"classes", "labels"}, _classification),
)
"""The keys of a JSON object → what reads it."""
