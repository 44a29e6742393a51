"""Weights fetched from a hub that the test serves itself, and used without it."""

import errno
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bam_engine.cli import main
from bam_engine.embedding import open_encoder
from bam_engine.embedding.weights import Weights, fetch_weights, find_weights
from bam_engine.errors import DiskFull, EmbeddingError, Stopped
from bam_engine.formatting import file_size

SPEC = "openclip:small-test/drawn"
FILE = "open_clip_pytorch_model.bin"


@dataclass
class Hub:
    """A hub with one file: what it sends, what it states about it, and which ranges were requested."""

    content: bytes
    url: str = ""
    sha256: str = ""
    cut_after: int | None = None
    ranges: bool = True
    status: int = 200
    requested: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sha256 = hashlib.sha256(self.content).hexdigest()

    def weights(self) -> Weights:
        url = f"{self.url}/tests/small/resolve/c0ffee/{FILE}"
        return Weights(SPEC, "tests/small", FILE, url, len(self.content), self.sha256, "mit")


def handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if hub.status != 200:
                self.send_error(hub.status)
            elif self.path.startswith("/api/models/"):
                self._send(json.dumps(self._description()).encode())
            else:
                hub.requested.append(self.headers.get("Range", ""))
                start = int(hub.requested[-1].removeprefix("bytes=").rstrip("-") or 0) if hub.ranges else 0
                self._send(hub.content[start:], 206 if start else 200, cut=hub.cut_after)

        def _description(self) -> dict[str, object]:
            lfs = {"sha256": hub.sha256, "size": len(hub.content), "pointerSize": 134}
            files = [{"rfilename": "README.md", "size": 9}, {"rfilename": FILE, "size": lfs["size"], "lfs": lfs}]
            return {"id": "tests/small", "sha": "c0ffee", "siblings": files, "cardData": {"license": "mit"}}

        def _send(self, body: bytes, status: int = 200, cut: int | None = None) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[:cut])
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@pytest.fixture
def hub(clip_checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub that has the small CLIP model, whose weights open_clip knows by the tag ``drawn``."""
    from huggingface_hub import constants
    from open_clip import pretrained

    hub = Hub(clip_checkpoint.read_bytes())
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(hub))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    hub.url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(constants, "ENDPOINT", hub.url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", hub.url + "/{repo_id}/resolve/{revision}/{filename}")
    monkeypatch.setitem(pretrained._PRETRAINED, "small-test", {"drawn": {"url": "", "hf_hub": "tests/small/"}})
    yield hub
    server.shutdown()
    server.server_close()


def test_fetched_weights_are_those_of_the_hub_and_serve_without_it(
    hub: Hub, clip_checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "carried" / "clip.bin"
    assert main(["weights", "get", SPEC, "--to", str(file)]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(f"{FILE} of tests/small: {file_size(len(hub.content))}, licence: mit\n")
    assert f"bam embed --encoder {SPEC} --checkpoint {file}" in printed
    assert file.read_bytes() == hub.content
    assert [path.name for path in file.parent.iterdir()] == ["clip.bin"]
    hub.status = 503
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("the network was used"))
    carried, original = (open_encoder(SPEC, checkpoint=path) for path in (file, clip_checkpoint))
    grey = [carried.preprocess(Image.effect_noise((40, 30), 60).convert("RGB"))]
    np.testing.assert_array_equal(carried.encode(grey), original.encode(grey))


def test_a_file_that_is_there_is_not_fetched_again(hub: Hub, tmp_path: Path) -> None:
    assert fetch_weights(find_weights(SPEC), tmp_path / "clip.bin")
    assert not fetch_weights(find_weights(SPEC), tmp_path / "clip.bin")
    assert len(hub.requested) == 1


def test_a_cut_download_is_resumed_from_where_it_ended(hub: Hub, tmp_path: Path) -> None:
    hub.cut_after = 1_500_000
    with pytest.raises(
        EmbeddingError, match=r"The connection .*1\.5 MB are kept in .*\.part; the same command goes on"
    ):
        fetch_weights(hub.weights(), tmp_path / "clip.bin")
    assert not (tmp_path / "clip.bin").exists()
    hub.cut_after = None
    seen: list[int] = []
    fetch_weights(hub.weights(), tmp_path / "clip.bin", report=lambda done, _total, _message="": seen.append(done))
    assert hub.requested == ["", "bytes=1500000-"]
    assert seen[0] == 1_500_000
    assert (tmp_path / "clip.bin").read_bytes() == hub.content


def test_a_server_that_knows_no_ranges_sends_everything_again(hub: Hub, tmp_path: Path) -> None:
    def stop(done: int, _total: int | None, _message: str = "") -> None:
        if done:
            raise Stopped("stop")

    with pytest.raises(Stopped):
        fetch_weights(hub.weights(), tmp_path / "clip.bin", report=stop)
    hub.ranges = False
    fetch_weights(hub.weights(), tmp_path / "clip.bin")
    assert (tmp_path / "clip.bin").read_bytes() == hub.content


def test_content_with_another_digest_takes_no_name(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(EmbeddingError, match="its digest differs"):
        fetch_weights(replace(hub.weights(), sha256="0" * 64), tmp_path / "clip.bin")
    assert list(tmp_path.iterdir()) == []


def test_another_version_on_the_hub_does_not_continue_what_was_kept(hub: Hub, tmp_path: Path) -> None:
    hub.cut_after = 1000
    with pytest.raises(EmbeddingError):
        fetch_weights(hub.weights(), tmp_path / "clip.bin")
    hub.cut_after, hub.content = None, hub.content[::-1]
    hub.sha256 = hashlib.sha256(hub.content).hexdigest()
    fetch_weights(hub.weights(), tmp_path / "clip.bin")
    assert (tmp_path / "clip.bin").read_bytes() == hub.content


def test_a_full_disk_is_noticed_before_and_while_fetching(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr("shutil.disk_usage", lambda _: usage._replace(free=1_000_000))
        with pytest.raises(DiskFull, match=r"needs .* where 1\.0 MB are free"):
            fetch_weights(hub.weights(), tmp_path / "clip.bin")
    assert hub.requested == []

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(DiskFull, match="the same command goes on"):
            fetch_weights(hub.weights(), tmp_path / "clip.bin")
    assert fetch_weights(hub.weights(), tmp_path / "clip.bin")


def test_a_file_that_holds_something_else_is_left_alone(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "mine.bin").write_text("my thesis")
    with pytest.raises(EmbeddingError, match="exists and holds something else"):
        fetch_weights(hub.weights(), tmp_path / "mine.bin")
    assert (tmp_path / "mine.bin").read_text() == "my thesis"
    for wrong in (tmp_path, tmp_path / "clip.safetensors", tmp_path / "clip"):
        with pytest.raises(EmbeddingError, match=rf"ends in \.bin, such as .*{FILE}"):
            fetch_weights(hub.weights(), wrong)
    with pytest.raises(EmbeddingError, match="Cannot write"):
        fetch_weights(hub.weights(), tmp_path / "mine.bin" / "clip.bin")


def test_two_processes_do_not_write_one_file(hub: Hub, tmp_path: Path) -> None:
    def again(done: int, _total: int | None, _message: str = "") -> None:
        with pytest.raises(EmbeddingError, match="Another process is fetching"):
            fetch_weights(hub.weights(), tmp_path / "clip.bin")

    assert fetch_weights(hub.weights(), tmp_path / "clip.bin", report=again)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("openclip:small-test/drown", "Choose one of drawn"),
        ("openclip:smal-test/drawn", "Did you mean small-test"),
        ("openclip:ViT-B-32/laion2b_s34b", "Choose one of laion2b_s34b_b79k"),
        ("openclip:xlm-roberta-base-ViT-B-32/laion5b_s13b_b90k", "which no file of weights contains"),
        ("timm:resnet18", "Name one like openclip:MODEL/PRETRAINED"),
        ("clip", "is not a valid encoder"),
    ],
)
def test_a_wrong_name_comes_with_what_there_is(hub: Hub, spec: str, words: str) -> None:
    with pytest.raises(EmbeddingError, match=words):
        find_weights(spec)


def test_a_hub_that_refuses_or_is_not_there_is_named(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = hub.weights()
    hub.status = 404
    with pytest.raises(EmbeddingError, match=r"does not give tests/small.*status 404"):
        find_weights(SPEC)
    with pytest.raises(EmbeddingError, match="status 404"):
        fetch_weights(weights, tmp_path / "clip.bin")
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(EmbeddingError, match=r"Cannot reach the hub http://127\.0\.0\.1:9.*Check the connection"):
        find_weights(SPEC)
    with pytest.raises(EmbeddingError, match="The connection to the hub failed"):
        fetch_weights(replace(weights, url="http://127.0.0.1:9/x"), tmp_path / "other.bin")


def test_weights_of_another_model_are_refused_by_the_encoder(hub: Hub, tmp_path: Path) -> None:
    fetch_weights(hub.weights(), tmp_path / "clip.bin")
    with pytest.raises(EmbeddingError, match=r"does not fit openclip:ViT-B-32/openai.*Choose a file of this model"):
        open_encoder("openclip:ViT-B-32/openai", checkpoint=tmp_path / "clip.bin")


def test_the_hub_is_the_one_of_the_environment(hub: Hub, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bam_engine", "weights", "get", "openclip:ViT-B-32/laion2b_s34b_b79k"]
    environment = {**os.environ, "HF_ENDPOINT": hub.url}
    done = subprocess.run(
        [*command, "--to", str(tmp_path / "clip.bin")], env=environment, capture_output=True, text=True, check=True
    )
    assert "licence: mit" in done.stdout
    assert (tmp_path / "clip.bin").read_bytes() == hub.content
