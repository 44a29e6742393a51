"""The description of an export as Croissant 1.1 metadata (MLCommons): its files with checksums, and their columns."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from bam_engine.exchange.image_table import ImageTable, meaning_of
from bam_engine.exchange.manifest import sha256_of

_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_TYPES = {pa.string(): "sc:Text", pa.bool_(): "sc:Boolean", pa.float32(): "sc:Float"}
_FORMATS = {
    ".parquet": "application/x-parquet",
    ".jsonl": "application/jsonlines",
    ".tar": "application/x-tar",
    ".json": "application/json",
}


@dataclass(frozen=True)
class Description:
    """What the metadata says of the dataset as a whole; dates are ISO 8601."""

    name: str
    text: str
    version: str
    date: str
    licences: Sequence[str]
    cite: str


def write_croissant(
    folder: Path,
    name: str,
    table: ImageTable,
    description: Description,
    *,
    tables: Sequence[str],
    others: Sequence[str],
) -> None:
    """Write the metadata of the export in ``folder`` to its file ``name``.

    Parameters
    ----------
    tables
        Paths of the files that have a row for each image, all with the columns of ``table``; a record set describes
        each.
    others
        Patterns of the paths of further files, such as pictures and shards.
    """
    files = [_file_object(folder, path) for path in tables]
    sets = [_file_set(number, pattern) for number, pattern in enumerate(others)]
    content = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "name": description.name,
        "description": description.text,
        "version": description.version,
        "datePublished": description.date,
        "license": list(description.licences),
        "citeAs": description.cite,
        "isLiveDataset": False,
        "distribution": [*files, *sets],
        "recordSet": [_record_set(path, table) for path in tables],
    }
    (folder / name).write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _file_object(folder: Path, path: str) -> Mapping[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": path,
        "name": path,
        "contentUrl": path,
        "contentSize": f"{(folder / path).stat().st_size} B",
        "encodingFormat": _FORMATS[Path(path).suffix],
        "sha256": sha256_of(folder / path),
    }


def _file_set(number: int, pattern: str) -> Mapping[str, Any]:
    form = _FORMATS.get(Path(pattern).suffix, "image/*")
    return {
        "@type": "cr:FileSet",
        "@id": f"files-{number}",
        "name": f"files-{number}",
        "includes": pattern,
        "encodingFormat": form,
    }


def _type_of(column: pa.DataType) -> Mapping[str, Any]:
    """Return the type of a column's values, and whether an image has a list of them."""
    if pa.types.is_list(column):
        return {"dataType": _TYPES[column.value_type], "repeated": True}
    return {"dataType": _TYPES.get(column, "sc:Integer")}


def _record_set(path: str, table: ImageTable) -> Mapping[str, Any]:
    name = Path(path).with_suffix("").as_posix().replace("/", "-")
    fields = [
        {
            "@type": "cr:Field",
            "@id": f"{name}/{field.name}",
            "name": field.name,
            "description": meaning_of(field.name),
            **_type_of(field.type),
            "source": {"fileObject": {"@id": path}, "extract": {"column": field.name}},
        }
        for field in table.schema
    ]
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": "One record for each image.",
        "key": {"@id": f"{name}/id"},
        "field": fields,
    }
