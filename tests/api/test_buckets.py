"""A collection whose images are in a bucket: every room works as with the same files in a folder."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import bam_engine
from bam_engine.cli import main
from bam_engine.collection.buckets import Access, BucketObject
from bam_engine.errors import BucketUnavailable, ExchangeError
from bam_engine.gallery import facets
from bam_engine.reporting.image_facts import describe
from bam_engine.workspace.vectors import vectors_of
from tests.bucket_server import KEY, SECRET, Bucket, bucket_server
from tests.drawn_pictures import draw_collection

COUNTS = {"photos": 8, "game_icons": 4}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    draw_collection(folder, COUNTS)
    return folder


@pytest.fixture(scope="module")
def bucket(folder: Path) -> Iterator[Bucket]:
    with bucket_server() as server:
        bucket = server.bucket("drawn")
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                bucket.put(file.relative_to(folder).as_posix(), file.read_bytes())
        yield bucket


@pytest.fixture
def bam(bucket: Bucket, tmp_path: Path) -> Iterator[bam_engine.Collection]:
    with bam_engine.open(tmp_path / "remote") as bam:
        bam.add_bucket(bucket.address, endpoint_url=bucket.server.url)
        bucket.server.requests.clear()
        yield bam
        bucket.server.refuse = lambda method, key: None


def by_digest(bam: bam_engine.Collection) -> dict[str, np.ndarray]:
    images = bam.workspace.catalogue.images(range(len(bam.workspace.catalogue)))
    return {image.digest: vectors_of(bam.workspace)[image.row] for image in images}


@pytest.mark.parametrize("least", [1, 1000], ids=["processes", "threads"])
def test_vectors_are_those_of_the_same_files_in_a_folder(
    bam: bam_engine.Collection, folder: Path, tmp_path: Path, least: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bam_engine.embedding.decoding.MIN_FOR_PROCESSES", least)
    monkeypatch.setattr("bam_engine.processes.processors", lambda: 2)
    bam.embed()
    with bam_engine.open(tmp_path / "local") as local:
        local.add_images(folder)
        local.embed()
        here, there = by_digest(local), by_digest(bam)
    assert len(here) == sum(COUNTS.values())
    assert here.keys() == there.keys()
    assert all(np.array_equal(here[digest], there[digest]) and here[digest].any() for digest in here)


def test_embedding_stops_where_the_bucket_does_not_answer_and_goes_on_afterwards(
    bam: bam_engine.Collection, bucket: Bucket
) -> None:
    bucket.server.refuse = lambda method, key: (403, "ExpiredToken")
    with pytest.raises(BucketUnavailable, match="credentials of the environment are not valid"):
        bam.embed()
    assert bam.workspace.catalogue.problems() == []  # no image is blamed
    bucket.server.refuse = lambda method, key: None
    bam.embed()
    assert len(bam.workspace.vectors()) == len(bam)


def test_pictures_facts_and_facets_come_from_the_bucket(bam: bam_engine.Collection, bucket: Bucket) -> None:
    workspace = bam.workspace
    image = workspace.catalogue.image(3)
    assert isinstance(image.path, BucketObject)
    facts = describe(workspace, 3)
    assert (facts.uri, facts.problem) == (image.uri, "")
    assert facts.size == image.path.size
    facets.scan(workspace)
    assert (facets.records(workspace)["day"] != 0).all()
    bucket.server.requests.clear()
    assert workspace.thumbnails.ensure(3, image.path)
    assert bucket.server.requests == []  # they are cached
    workspace.thumbnails.path(3).unlink()
    with Image.open(io.BytesIO(workspace.thumbnails.ensure(3, image.path))) as again:
        assert max(again.size) <= 256
    assert bucket.server.read() == [image.uri.removeprefix(f"{bucket.address}/")]


def test_an_export_holds_copies_and_no_links(bam: bam_engine.Collection, tmp_path: Path) -> None:
    bam.embed()
    attribute = bam.add_attribute("is_pale", "Is the picture pale?")
    table = tmp_path / "labels.csv"
    table.write_text(f"path,pale\n{bam.images()['path'][0]},yes\n", "utf-8")
    attribute.import_labels(table, column="pale", positive=("yes",), annotator="anna")
    bam.export(tmp_path / "copied", form="imagefolder")
    copied = [file for file in (tmp_path / "copied").rglob("*") if file.suffix in (".png", ".jpg")]
    assert len(copied) == len(bam)
    with pytest.raises(ExchangeError, match=r"is in a bucket, to which nothing .* Copy the images"):
        bam.export(tmp_path / "linked", form="imagefolder", pictures="link")
    assert not (tmp_path / "linked").exists()


def test_the_check_reads_every_object_and_images_are_removed_by_their_address(
    bam: bam_engine.Collection, bucket: Bucket, folder: Path
) -> None:
    assert bam.check() == []
    key = bam.workspace.catalogue.image(0).uri.removeprefix(f"{bucket.address}/")
    bucket.put(key, b"other bytes")
    (finding,) = bam.check()
    assert f"{bucket.address}/{key}" in finding.what
    bucket.put(key, (folder / key).read_bytes())
    below = key.rpartition("/")[0]
    bam.remove_images([f"{bucket.address}/{below}"])
    assert all(not path.startswith(f"{bucket.address}/{below}/") for path in bam.images()["path"])


def test_nothing_secret_is_stored(bam: bam_engine.Collection, bucket: Bucket) -> None:
    bam.embed()
    assert bam.workspace.catalogue.buckets() == {bucket.address: Access(bucket.server.url)}
    folder = bam.workspace.folder
    for file in (file for file in folder.rglob("*") if file.is_file()):
        content = file.read_bytes()
        assert SECRET.encode() not in content
        assert KEY.encode() not in content


def test_the_command_adds_a_bucket_and_says_what_it_needs(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BAM_WORKSPACE", str(tmp_path / "by-command"))
    monkeypatch.setenv("BAM_CACHE", str(tmp_path / "by-command" / "cache"))
    assert main(["ingest", "bucket", bucket.address, "--endpoint-url", bucket.server.url]) == 0
    assert "12 images added" in capsys.readouterr().out
    assert main(["ingest", "bucket", bucket.address]) == 0
    assert "0 images added, 12 already in the collection" in capsys.readouterr().out
    for wrong, words in (
        (["bucket"], "Name the address: `bam ingest bucket s3://BUCKET/FOLDER`"),
        ([bucket.address], "`bam ingest bucket ADDRESS`"),
        (["pictures", "--anonymous"], "are about buckets"),
        (["bucket", f"s3://{KEY}:{SECRET}@drawn"], "holds credentials, which are never stored"),
        (["bucket", "drawn"], "no address of a bucket"),
    ):
        assert main(["ingest", *wrong]) == 1
        said = capsys.readouterr().err
        assert words in said
        assert SECRET not in said


def test_a_table_names_images_by_their_addresses(bam: bam_engine.Collection, tmp_path: Path) -> None:
    uris = bam.workspace.catalogue.uris()
    table = tmp_path / "labels.csv"
    with table.open("w", newline="") as file:
        csv.writer(file).writerows([("path", "pale"), (uris[0], "yes"), (uris[5].rpartition("/")[2], "no")])
    attribute = bam.add_attribute("is_pale", "Is the picture pale?")
    attribute.import_labels(table, column="pale", positive=("yes",), negative=("no",), annotator="anna")
    assert len(attribute.labels()) == 2
