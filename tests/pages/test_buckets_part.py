"""The Images page offers to add a bucket; in a team, what the server's configuration names."""

import io
from collections.abc import Callable, Iterator

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from tests.bucket_server import KEY, SECRET, Bucket, bucket_server
from tests.pages.conftest import Pictures, text_of


@pytest.fixture(scope="module")
def bucket() -> Iterator[Bucket]:
    with bucket_server() as server:
        bucket = server.bucket("paintings")
        for number in range(4):
            file = io.BytesIO()
            Image.new("RGB", (8, 8), (0, 60 * number, 90)).save(file, "PNG")
            bucket.put(f"scans/{number}.png", file.getvalue())
        yield bucket


def add(app: AppTest, address: str, endpoint: str) -> None:
    app.text_input(key="bucket").input(address)
    app.text_input(key="bucket-endpoint").input(endpoint)
    next(button for button in app.button if button.label == "Add bucket").click().run()


def finish(app: AppTest) -> None:
    from web.engine import workspace as opened

    while opened().jobs.is_running("ingest"):
        app.run()
    app.run()


def test_a_bucket_is_added_and_becomes_a_source(
    pictures: Pictures, bucket: Bucket, open_page: Callable[..., AppTest]
) -> None:
    workspace, _ = pictures
    app = open_page(workspace, "images")
    add(app, f"{bucket.address}/scans/", bucket.server.url)
    finish(app)
    assert "7 images in the collection" in [each.value for each in app.subheader]
    (lines,) = [frame.value for frame in app.dataframe if "folder" in frame.value.columns]
    assert lines[["folder", "images"]].to_numpy().tolist()[0] == [f"{bucket.address}/scans", 4]


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("s3://elsewhere/scans", "this server reads s3://paintings (BAM_IMAGE_BUCKETS)"),
        (f"s3://{KEY}:{SECRET}@paintings", "holds credentials, which are never stored"),
        ("file:///etc", "no bucket that can be read"),
    ],
)
def test_what_may_not_be_added_is_refused_with_a_sentence(
    pictures: Pictures,
    open_page: Callable[..., AppTest],
    monkeypatch: pytest.MonkeyPatch,
    address: str,
    words: str,
) -> None:
    workspace, _ = pictures
    monkeypatch.setenv("BAM_IMAGE_BUCKETS", "s3://paintings")
    app = open_page(workspace, "images")
    add(app, address, "")
    said = text_of(app).replace("\\", "")  # what Markdown takes for a sign is escaped
    assert words in said
    assert SECRET not in said
    assert not workspace.jobs.is_running("ingest")


def test_a_teams_server_names_its_buckets_and_chooses_their_endpoint(
    pictures: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, _ = pictures
    monkeypatch.setenv("BAM_WORKSPACE", str(workspace.folder))
    monkeypatch.setenv("BAM_CACHE", str(workspace.cache.parent))
    monkeypatch.setattr("web.people.team_mode", lambda: True)
    app = AppTest.from_string("from web import buckets\nbuckets.add('ingest')").run()
    assert "This server adds no buckets in the app" in text_of(app)
    assert not any(button.label == "Add bucket" for button in app.button)
    monkeypatch.setenv("BAM_IMAGE_BUCKETS", "s3://paintings")
    app.run()
    assert any(button.label == "Add bucket" for button in app.button)
    assert not any(one.key == "bucket-endpoint" for one in app.text_input)
