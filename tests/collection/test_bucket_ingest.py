"""Images of a bucket are added where they are: what is new, changed, moved, missing or unreadable."""

import io
import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bam_engine.collection import Catalogue, Thumbnails, buckets
from bam_engine.collection.bucket_ingest import ingest_bucket
from bam_engine.collection.buckets import Access, BucketObject, Provider
from bam_engine.collection.images import read_image
from bam_engine.collection.ingest import IngestResult, ingest_folder
from bam_engine.collection.missing_files import find_missing
from bam_engine.collection.originals import is_gone
from bam_engine.database import open_database
from bam_engine.errors import BucketUnavailable, CollectionError, ImageUnreadable, Stopped
from tests.bucket_server import KEY, SECRET, Bucket, BucketServer, bucket_server

NAMES = itertools.count()


@pytest.fixture(scope="module")
def server() -> Iterator[BucketServer]:
    with bucket_server() as running:
        yield running


@pytest.fixture
def bucket(server: BucketServer) -> Iterator[Bucket]:
    one = server.bucket(f"pictures-{next(NAMES)}")
    server.requests.clear()
    yield one
    server.refuse = lambda method, key: None


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    engine = open_database(f"sqlite:///{tmp_path}/images.sqlite")
    yield Catalogue(engine)
    engine.dispose()


@pytest.fixture
def thumbnails(tmp_path: Path) -> Thumbnails:
    return Thumbnails(tmp_path / "thumbnails", size=64)


def picture(number: int) -> bytes:
    pixels = np.random.default_rng(number).integers(0, 256, (20, 24, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def fill(bucket: Bucket, numbers: range, folder: str = "art") -> None:
    for number in numbers:
        bucket.put(f"{folder}/{number:03d}.png", picture(number))


def add(catalogue: Catalogue, thumbnails: Thumbnails, bucket: Bucket, **options: object) -> IngestResult:
    options = {"endpoint_url": bucket.server.url, **options}
    return ingest_bucket(catalogue, thumbnails, f"{bucket.address}/art", **options)  # type: ignore[arg-type]


def keys(catalogue: Catalogue, bucket: Bucket) -> list[str]:
    return [uri.removeprefix(f"{bucket.address}/art/") for uri in catalogue.uris()]


def test_images_are_added_whatever_their_names_are_and_each_is_read_once(
    catalogue: Catalogue, thumbnails: Thumbnails, bucket: Bucket
) -> None:
    odd = [
        "two words.png",
        "é☃ 日本.PNG",
        "x/../up.png",
        "#1?a=b&c.png",
        "100%25 +.png",
        "//slashes.png",
        "deep/er/1.png",
    ]
    for number, name in enumerate(odd):
        bucket.put(f"art/{name}", picture(number))
    for name in ("notes.txt", "folder/", "no suffix", ".hidden.png", ".git/objects/1.png"):
        bucket.put(f"art/{name}", picture(50))
    bucket.put("artifacts/other.png", picture(51))
    bucket.server.requests.clear()
    result = add(catalogue, thumbnails, bucket)
    assert (result.added, result.files, result.skipped, result.hidden) == (len(odd), len(odd), 2, 2)
    assert result.unreadable == []
    assert sorted(keys(catalogue, bucket)) == sorted(odd)
    assert sorted(bucket.server.read()) == sorted(f"art/{name}" for name in odd)
    assert len(bucket.server.requests) == 1 + len(odd)  # one list, and each object once
    for image in catalogue.images(range(len(odd))):
        number = odd.index(image.uri.removeprefix(f"{bucket.address}/art/"))
        with Image.open(io.BytesIO(picture(number))) as original:
            assert np.array_equal(np.asarray(read_image(image.path)), np.asarray(original))
            assert thumbnails.read(image.row) == Thumbnails("unused", size=64).render(original.convert("RGB")).data
        assert image.name == image.uri.rpartition("/")[2]


def test_a_second_scan_reads_only_what_is_new_or_has_changed(
    catalogue: Catalogue, thumbnails: Thumbnails, bucket: Bucket
) -> None:
    fill(bucket, range(8))
    add(catalogue, thumbnails, bucket)
    rows = {key: row for row, key in enumerate(keys(catalogue, bucket))}
    bucket.server.requests.clear()
    result = add(catalogue, thumbnails, bucket, endpoint_url=None)
    assert (result.added, result.existing, bucket.server.read()) == (0, 8, [])

    bucket.put("art/new.png", picture(20))
    bucket.put("art/001.png", picture(21))  # changed
    bucket.delete("art/002.png")
    bucket.put("art/again.png", picture(3))  # moved
    bucket.delete("art/003.png")
    bucket.put("art/copy.png", picture(4))
    bucket.put("art/005.png", picture(5))  # written again with the same bytes
    bucket.server.requests.clear()
    result = add(catalogue, thumbnails, bucket)
    assert (result.added, result.moved, result.existing) == (2, 1, 5)
    assert result.replaced == [f"{bucket.address}/art/001.png"]
    assert result.missing == [f"{bucket.address}/art/002.png"]
    assert result.duplicates == [(f"{bucket.address}/art/copy.png", f"{bucket.address}/art/004.png")]
    assert {"art/000.png", "art/006.png", "art/007.png"}.isdisjoint(bucket.server.read())
    moved = catalogue.image(rows["003.png"])
    assert (moved.uri, moved.status) == (f"{bucket.address}/art/again.png", "ok")
    assert catalogue.image(rows["002.png"]).status == "missing"
    assert catalogue.image(rows["001.png"]).status == "replaced"

    bucket.put("art/002.png", picture(2))
    result = add(catalogue, thumbnails, bucket)
    assert (result.found_again, result.missing, result.added) == (1, [], 0)
    assert catalogue.image(rows["002.png"]).status == "ok"


def test_pages_are_added_one_after_the_other_and_nothing_is_missing_that_is_on_a_later_one(
    catalogue: Catalogue, thumbnails: Thumbnails, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buckets, "_PAGE", 3)
    fill(bucket, range(10))
    assert add(catalogue, thumbnails, bucket).added == 10
    bucket.delete("art/000.png")
    bucket.put("art/zzz.png", picture(0))  # moved to the last page
    bucket.delete("art/009.png")
    result = add(catalogue, thumbnails, bucket)
    assert (result.files, result.existing, result.moved) == (9, 8, 1)
    assert result.missing == [f"{bucket.address}/art/009.png"]


def test_a_run_that_is_stopped_goes_on_where_it_was(
    catalogue: Catalogue, thumbnails: Thumbnails, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buckets, "_PAGE", 4)
    fill(bucket, range(10))

    def stop(done: int, total: int | None, message: str) -> None:
        if done >= 8:
            raise Stopped

    with pytest.raises(Stopped):
        add(catalogue, thumbnails, bucket, report=stop)
    assert len(catalogue) == 8
    bucket.server.requests.clear()
    assert add(catalogue, thumbnails, bucket).added == 2
    assert sorted(bucket.server.read()) == ["art/008.png", "art/009.png"]


def test_a_bucket_that_refuses_in_the_middle_keeps_what_was_finished(
    catalogue: Catalogue, thumbnails: Thumbnails, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buckets, "_PAGE", 20)
    fill(bucket, range(50))
    bucket.server.refuse = lambda method, key: (403, "AccessDenied") if key >= "art/020" else None
    with pytest.raises(BucketUnavailable) as refused:
        add(catalogue, thumbnails, bucket)
    words = str(refused.value)
    assert f"{bucket.address}/art/020.png and the 19 objects after it may not be read" in words
    assert "s3:GetObject" in words
    assert "Added so far: 20 images." in words
    assert len(catalogue) == 20
    bucket.server.refuse = lambda method, key: None
    result = add(catalogue, thumbnails, bucket)
    assert (result.added, result.existing, result.missing) == (30, 20, [])
    assert catalogue.problems() == []


def test_an_object_that_may_not_be_read_is_a_problem_of_its_own_until_it_may(
    catalogue: Catalogue, thumbnails: Thumbnails, bucket: Bucket
) -> None:
    fill(bucket, range(4))
    bucket.server.refuse = lambda method, key: (403, "AccessDenied") if key == "art/002.png" else None
    result = add(catalogue, thumbnails, bucket)
    assert (result.added, [one.uri for one in result.unreadable]) == (3, [f"{bucket.address}/art/002.png"])
    assert "does not let these credentials read the object" in result.unreadable[0].reason
    bucket.server.refuse = lambda method, key: None
    assert add(catalogue, thumbnails, bucket).added == 1
    assert catalogue.problems() == []


def test_many_objects_that_may_not_be_read_stop_no_later_scan(
    catalogue: Catalogue, thumbnails: Thumbnails, bucket: Bucket
) -> None:
    fill(bucket, range(60))
    denied = {f"art/{number:03d}.png" for number in range(0, 60, 3)}
    bucket.server.refuse = lambda method, key: (403, "AccessDenied") if key in denied else None
    assert add(catalogue, thumbnails, bucket).added == 40
    fill(bucket, range(60, 62))
    result = add(catalogue, thumbnails, bucket)
    assert (result.added, result.existing, len(result.unreadable)) == (2, 40, 20)


def test_a_folder_is_added_while_the_bucket_of_one_of_its_images_does_not_answer(
    catalogue: Catalogue, thumbnails: Thumbnails, bucket: Bucket, tmp_path: Path
) -> None:
    fill(bucket, range(1))
    add(catalogue, thumbnails, bucket)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "copy.png").write_bytes(picture(0))
    (folder / "new.png").write_bytes(picture(1))
    bucket.server.refuse = lambda method, key: (503, "SlowDown")
    result = ingest_folder(catalogue, thumbnails, folder)
    assert result.added == 1
    assert catalogue.image(0).uri == f"{bucket.address}/art/000.png", "nothing is known of it, so it stays"


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (403, "AccessDenied", "may not list the bucket (s3:ListBucket)"),
        (403, "InvalidAccessKeyId", "the credentials of the environment are not valid (InvalidAccessKeyId)"),
        (400, "ExpiredToken", "not valid (ExpiredToken). Renew AWS_ACCESS_KEY_ID"),
    ],
)
def test_a_bucket_that_may_not_be_listed_says_what_to_do(
    catalogue: Catalogue, thumbnails: Thumbnails, bucket: Bucket, status: int, code: str, words: str
) -> None:
    bucket.server.refuse = lambda method, key: (status, code)
    with pytest.raises(BucketUnavailable) as refused:
        add(catalogue, thumbnails, bucket)
    assert words in str(refused.value)
    assert SECRET not in str(refused.value)
    assert KEY not in str(refused.value)
    assert catalogue.sources() == []


def test_objects_that_are_no_images_are_problems_and_the_others_are_added(
    catalogue: Catalogue, thumbnails: Thumbnails, bucket: Bucket
) -> None:
    fill(bucket, range(2))
    bucket.put("art/empty.png", b"")
    bucket.put("art/page.jpg", b"<!DOCTYPE html><html></html>")
    bucket.put("art/half.png", picture(7)[:200])
    bucket.put("art/phone.heic", b"\0\0\0\x18ftypheic\0\0\0\0")
    result = add(catalogue, thumbnails, bucket)
    reasons = {one.uri.rpartition("/")[2]: one.reason for one in result.unreadable}
    assert result.added == 2
    assert reasons.keys() == {"empty.png", "page.jpg", "half.png", "phone.heic"}
    assert "empty (0 bytes)" in reasons["empty.png"]
    assert "a web page" in reasons["page.jpg"]
    assert "truncated" in reasons["half.png"]
    assert "HEIC" in reasons["phone.heic"]


def test_a_bucket_without_images_and_one_that_is_not_there_are_told_apart(
    catalogue: Catalogue, thumbnails: Thumbnails, bucket: Bucket
) -> None:
    with pytest.raises(CollectionError, match="holds no objects"):
        add(catalogue, thumbnails, bucket)
    bucket.put("art/notes.txt", b"text")
    with pytest.raises(CollectionError, match="holds 1 object but no image"):
        add(catalogue, thumbnails, bucket)
    with pytest.raises(BucketUnavailable, match="There is no bucket s3://never-made"):
        ingest_bucket(catalogue, thumbnails, "s3://never-made", endpoint_url=bucket.server.url)


def test_a_server_that_stumbles_is_asked_again(catalogue: Catalogue, thumbnails: Thumbnails, bucket: Bucket) -> None:
    fill(bucket, range(3))
    asked: set[str] = set()

    def stumble(method: str, key: str) -> tuple[int, str] | None:
        if key in asked:
            return None
        asked.add(key)
        return 503, "SlowDown"

    bucket.server.refuse = stumble
    result = add(catalogue, thumbnails, bucket)
    assert (result.added, result.unreadable) == (3, [])


def test_a_server_that_is_gone_ends_the_run_with_a_sentence(
    catalogue: Catalogue, thumbnails: Thumbnails, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(bucket, range(2))
    add(catalogue, thumbnails, bucket)
    monkeypatch.setattr(buckets, "ATTEMPTS", 1)
    nowhere = "http://127.0.0.1:9"
    with pytest.raises(BucketUnavailable, match="no answer came") as gone:
        add(catalogue, thumbnails, bucket, endpoint_url=nowhere)
    assert "Check the network" in str(gone.value)
    assert catalogue.image(0).path.access.endpoint_url == bucket.server.url  # what works is remembered, and only that
    lost = BucketObject(f"{bucket.address}/art/000.png", Access(nowhere))
    with pytest.raises(BucketUnavailable):
        read_image(lost)
    with pytest.raises(BucketUnavailable):
        is_gone(lost)


def test_without_credentials_it_is_said_which_are_missing(
    catalogue: Catalogue, thumbnails: Thumbnails, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    buckets.forget_connections()
    bucket.put("art/0.png", picture(0), public=True)
    bucket.put("art/1.png", picture(1), public=True)
    with pytest.raises(BucketUnavailable, match=r"There are no credentials for .* Set AWS_ACCESS_KEY_ID"):
        add(catalogue, thumbnails, bucket)
    assert add(catalogue, thumbnails, bucket, anonymous=True).added == 2
    assert add(catalogue, thumbnails, bucket).existing == 2  # it is remembered
    assert catalogue.buckets() == {bucket.address: Access(bucket.server.url, anonymous=True)}


def test_an_object_that_is_gone_is_not_found_and_one_with_other_bytes_is_not_shown(
    catalogue: Catalogue, thumbnails: Thumbnails, bucket: Bucket
) -> None:
    fill(bucket, range(3))
    add(catalogue, thumbnails, bucket)
    paths = catalogue.paths()
    bucket.delete("art/001.png")
    bucket.put("art/002.png", picture(9))
    assert find_missing(list(paths)).tolist() == [1]
    with pytest.raises(ImageUnreadable, match="not found"):
        read_image(paths[1])
    with pytest.raises(ImageUnreadable, match="has changed"):
        read_image(paths[2], digest=catalogue.image(2).digest)


def test_details_and_projects_come_from_a_table_and_from_folders(
    catalogue: Catalogue, thumbnails: Thumbnails, bucket: Bucket, tmp_path: Path
) -> None:
    fill(bucket, range(2), "art/anna")
    fill(bucket, range(2, 3), "art")
    table = tmp_path / "labels.csv"
    table.write_text(
        f"path,title,project\nanna/000.png,First,\n{bucket.address}/art/002.png,Third,Bob\nnone.png,x,\n", "utf-8"
    )
    result = add(catalogue, thumbnails, bucket, metadata=table, project="folder")
    images = {image.name: image for image in catalogue.images(range(3))}
    assert {name: (one.title, one.project_id) for name, one in images.items()} == {
        "000.png": ("First", "art/anna"),
        "001.png": (None, "art/anna"),
        "002.png": ("Third", "Bob"),
    }
    assert result.unmatched == ("none.png",)


def test_other_providers_are_listed_folder_by_folder(
    catalogue: Catalogue, thumbnails: Thumbnails, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fsspec

    monkeypatch.setitem(buckets.PROVIDERS, "memory", Provider("memory", "s3", ""))
    files = fsspec.filesystem("memory")
    for number, name in enumerate(("1.png", "deep/2.png", "deep/er/3.png")):
        files.pipe_file(f"/shelf/{name}", picture(number))
    assert ingest_bucket(catalogue, thumbnails, "memory://shelf").added == 3
    assert ingest_bucket(catalogue, thumbnails, "memory://shelf").existing == 3
    files.pipe_file("/shelf/1.png", picture(7))
    assert ingest_bucket(catalogue, thumbnails, "memory://shelf").replaced == ["memory://shelf/1.png"]
    files.rm("/shelf", recursive=True)


@pytest.mark.parametrize(
    "address",
    [f"s3://{KEY}:{SECRET}@art/birds", f"s3://art/birds?X-Amz-Signature={SECRET}", f"az://art/a?sv=1&sig={SECRET}"],
)
def test_credentials_in_an_address_are_refused_and_not_repeated(address: str) -> None:
    with pytest.raises(CollectionError, match="holds credentials, which are never stored") as refused:
        buckets.check_address(address)
    assert SECRET not in str(refused.value)
    with pytest.raises(CollectionError, match="endpoint holds credentials") as refused:
        buckets.check_endpoint(f"https://{KEY}:{SECRET}@minio.example")
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/home/anna", "no address of a bucket"),
        ("file:///etc", "bam ingest FOLDER"),
        ("https://example.org/a.png", "list of their URLs"),
        ("ftp://example.org", "no bucket that can be read"),
        ("s3://", "names no bucket"),
    ],
)
def test_what_is_no_bucket_is_refused(address: str, words: str) -> None:
    with pytest.raises(CollectionError, match=words):
        buckets.check_address(address)


def test_the_environment_says_which_buckets_may_be_added_from(monkeypatch: pytest.MonkeyPatch) -> None:
    assert buckets.check_allowed_address("s3://any/where/") == "s3://any/where"
    monkeypatch.setenv("BAM_IMAGE_BUCKETS", "s3://art/birds/ gs://other")
    assert buckets.check_allowed_address("s3://art/birds/owls") == "s3://art/birds/owls"
    for outside in ("s3://art", "s3://art/birds-of-prey", "gs://others"):
        with pytest.raises(CollectionError, match="BAM_IMAGE_BUCKETS"):
            buckets.check_allowed_address(outside)


def test_a_package_that_is_not_installed_is_named(
    catalogue: Catalogue, thumbnails: Thumbnails, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(protocol: str) -> None:
        raise ImportError(protocol)

    buckets.forget_connections()
    monkeypatch.setattr("fsspec.get_filesystem_class", missing)
    for scheme, extra in (("s3", "s3"), ("gs", "gcs"), ("az", "azure")):
        with pytest.raises(CollectionError, match=rf"pip install 'bam-engine\[{extra}\]'"):
            ingest_bucket(catalogue, thumbnails, f"{scheme}://art")
