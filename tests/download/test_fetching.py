"""One URL at a time, against a server that is as slow, wrong and hostile as the web."""

import gzip
import zlib
from pathlib import Path

import pytest
from PIL import Image

from bam_engine.download.addresses import allowed_networks
from bam_engine.download.fetching import PARTIAL, Fetcher, Unchanged
from bam_engine.download.network import CheckedNetwork, Resolve, resolve
from bam_engine.download.outcomes import Failure, Picture
from bam_engine.download.settings import Settings
from bam_engine.download.urls import parse_url
from tests.download.conftest import here, picture
from tests.download.server import Web, answer, endless, redirect, silence
from tests.web.clients import run


def fetch(
    folder: Path, *urls: str, settings: Settings | None = None, resolver: Resolve = here, etag: str = ""
) -> list[Picture | Failure | None]:
    """Fetch URLs one after the other with one fetcher; None stands for an unchanged picture."""
    (folder / PARTIAL).mkdir(exist_ok=True)

    async def one(fetcher: Fetcher, url: str) -> Picture | Failure | None:
        try:
            return await fetcher.fetch(parse_url(url), etag)
        except Failure as failure:
            return failure
        except Unchanged:
            return None

    async def go() -> list[Picture | Failure | None]:
        network = CheckedNetwork(allowed_networks(), resolver)
        fetcher = Fetcher(settings or Settings(), folder, network)
        try:
            return [await one(fetcher, url) for url in urls]
        finally:
            await fetcher.aclose()

    found = run(go)
    assert list((folder / PARTIAL).iterdir()) == [], "what was not finished is removed"
    return found


def failure(folder: Path, url: str, **options: object) -> Failure:
    (found,) = fetch(folder, url, **options)  # type: ignore[arg-type]
    assert isinstance(found, Failure)
    assert found.reason.endswith(".")
    return found


def test_a_picture_is_stored_as_it_is_under_a_name_of_its_bytes(web: Web, tmp_path: Path) -> None:
    content = picture(1)
    url = web.put("/..%2f..%2fetc/passwd?x=../../y.exe", answer(content, ETag='"v1"'))
    (found,) = fetch(tmp_path, url)
    assert isinstance(found, Picture)
    assert (found.width, found.height, found.size, found.etag) == (40, 30, len(content), '"v1"')
    assert found.file == f"{found.digest[:2]}/{found.digest[:32]}.png"
    assert (tmp_path / found.file).read_bytes() == content
    assert sum(path.is_file() for path in tmp_path.rglob("*")) == 1


def test_the_program_says_who_it_is_and_takes_no_encoding(web: Web, tmp_path: Path) -> None:
    url = web.put("/a", answer(picture(1)))
    fetch(tmp_path, url, settings=Settings(contact="ann@lab.example"))
    asked = web.headers[-1]
    assert asked["user-agent"].startswith("bam-engine/")
    assert asked["user-agent"].endswith(" (+ann@lab.example)")
    assert (asked["host"], asked["accept-encoding"]) == (f"web.example:{web.port}", "identity")


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (answer(status=404), "not found", "404"),
        (answer(status=410), "not found", "410"),
        (answer(status=403), "forbidden", "403"),
        (answer(status=418), "status", "418"),
        (answer(status=500), "server error", "500"),
        (answer(status=204), "status", "204"),
        (answer(picture(1), 206), "status", "206"),
        (answer(b"<html>", kind="text/html"), "no image", "a web page"),
        (answer(b"<!DOCTYPE html><p>gone", kind="image/jpeg"), "no image", "a web page"),
        (answer(b"%PDF-1.7", kind="image/png"), "no image", "PDF"),
        (answer(b"<svg xmlns='x'/>", kind="image/svg+xml"), "no image", "SVG"),
        (answer(b"", kind="image/png"), "no image", "empty"),
        (answer(picture(1)[:20]), "damaged", ""),
        (answer(picture(1), length=10_000), "incomplete", ""),
        (answer(picture(1), Content_Encoding="br"), "no image", "'br'"),
        (answer(b"not gzip at all", Content_Encoding="gzip"), "damaged", "decompressed"),
        (answer(picture(1), X_Robots_Tag="noai, noimageindex"), "opted out", "noai"),
        (answer(picture(1), length=99_000_000), "too large", "99.0 MB; the limit is 50.0 MB"),
        (b"nonsense\r\n\r\n", "connection", ""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 7\r\n\r\n1234567", "connection", ""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", "connection", ""),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 500_000 + b"\r\n\r\n", "connection", ""),
        (b"", "connection", ""),
    ],
)
def test_an_answer_that_is_no_picture_says_why(web: Web, tmp_path: Path, reply: bytes, kind: str, words: str) -> None:
    found = failure(tmp_path, web.put("/a", reply))
    assert (found.kind, words in found.reason) == (kind, True), found.reason


def test_an_endless_answer_is_left_at_the_limit(web: Web, tmp_path: Path) -> None:
    found = failure(tmp_path, web.put("/a", endless(picture(1))), settings=Settings(max_bytes=300_000))
    assert (found.kind, found.code) == ("too large", 200)
    web.put("/b", endless(b"<html>"))
    assert failure(tmp_path, web.url("/b")).kind == "no image", "the first bytes decide"


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_bomb_is_expanded_up_to_the_limit_only(web: Web, tmp_path: Path, encoding: str) -> None:
    packed = picture(1) + bytes(200_000_000)
    body = gzip.compress(packed, 9) if encoding == "gzip" else zlib.compress(packed, 9)
    url = web.put("/a", answer(body, Content_Encoding=encoding))
    assert failure(tmp_path, url, settings=Settings(max_bytes=1_000_000)).kind == "too large"


def test_a_compressed_picture_is_expanded(web: Web, tmp_path: Path) -> None:
    url = web.put("/a", answer(gzip.compress(picture(1)), Content_Encoding="gzip"))
    (found,) = fetch(tmp_path, url)
    assert isinstance(found, Picture)
    assert (tmp_path / found.file).read_bytes() == picture(1)


def test_a_silent_server_is_left_after_its_time(web: Web, tmp_path: Path) -> None:
    url = web.put("/a", silence)
    assert failure(tmp_path, url, settings=Settings(read_seconds=0.05)).kind == "timeout"
    assert failure(tmp_path, url, settings=Settings(total_seconds=0.05)).kind == "timeout"


def test_what_nobody_serves_is_a_failed_connection(web: Web, tmp_path: Path) -> None:
    assert failure(tmp_path, "http://web.example:1999/a").kind == "connection"


def test_a_server_that_asks_to_wait_is_understood(web: Web, tmp_path: Path) -> None:
    found = failure(tmp_path, web.put("/a", answer(status=429, Retry_After="17")))
    assert (found.kind, found.code, found.wait) == ("busy", 429, 17)


def test_a_version_that_is_there_is_not_sent_again(web: Web, tmp_path: Path) -> None:
    url = web.put("/a", answer(status=304))
    assert fetch(tmp_path, url, etag='"v1"') == [None]
    assert web.headers[-1]["if-none-match"] == '"v1"'


# Redirects ----------------------------------------------------------------------------------------------------------


def test_redirects_are_followed_and_a_loop_is_left(web: Web, tmp_path: Path) -> None:
    web.put("/a", redirect("b"))
    web.put("/b", redirect(web.url("/c", "other.example"), 308))
    web.put("/c", answer(picture(1)))
    (found,) = fetch(tmp_path, web.url("/a"))
    assert isinstance(found, Picture)
    web.put("/loop", redirect("/loop"))
    found = failure(tmp_path, web.url("/loop"))
    assert (found.kind, web.paths().count("/loop")) == ("redirects", 6)


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:{port}/secret",
        "http://2130706433:{port}/secret",
        "http://0177.0.0.1:{port}/secret",
        "http://0x7f.1:{port}/secret",
        "http://[::ffff:127.0.0.1]:{port}/secret",
        "http://localhost:{port}/secret",
        "http://169.254.169.254/latest/meta-data/",
        "file:///etc/passwd",
        "http://web.example:22/",
        "http://user@web.example/",
    ],
)
def test_a_redirect_leads_to_no_private_address_and_no_file(web: Web, tmp_path: Path, location: str) -> None:
    web.put("/a", redirect(location.format(port=web.port)))

    async def real(host: str, port: int) -> list[str]:
        return await (here if host == "web.example" else resolve)(host, port)

    assert failure(tmp_path, web.url("/a"), resolver=real).kind in ("private address", "bad url")
    assert web.paths() == ["/a"]


# Addresses ----------------------------------------------------------------------------------------------------------


def test_private_addresses_are_not_asked_unless_the_owner_allows_it(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.put("/a", answer(picture(1)))
    monkeypatch.delenv("BAM_PRIVATE_NETWORKS")
    for host in ("web.example", "127.0.0.7", "localhost", "2130706439", "0x7f000007", "0177.7"):
        found = failure(tmp_path, web.url("/a", host), resolver=here if host == "web.example" else resolve)
        assert (found.kind, web.asked) == ("private address", [])


def test_a_name_that_leads_elsewhere_at_the_second_look_is_asked_at_the_checked_address(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each connection is made to what was checked for it; one more answer of the name server changes nothing."""
    monkeypatch.delenv("BAM_PRIVATE_NETWORKS")
    answers, asked, connected = [["8.8.8.8", "127.0.0.1"], ["127.0.0.1"]], [], []

    async def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return answers[min(len(asked), len(answers)) - 1]

    async def connect(_: object, host: str, port: int, *rest: object) -> None:
        connected.append(host)
        raise Failure("connection", "Nothing is there.")

    monkeypatch.setattr("httpcore2.AnyIOBackend.connect_tcp", connect)
    settings = Settings(respect_robots=False)
    first, second = fetch(tmp_path, web.url("/a"), web.url("/a"), settings=settings, resolver=rebinding)
    assert isinstance(first, Failure)
    assert isinstance(second, Failure)
    assert connected == ["8.8.8.8"], "no name is connected to, and no address that was refused"
    assert (first.kind, second.kind, len(asked)) == ("connection", "private address", 2)


def test_a_host_with_several_addresses_is_asked_at_the_first_that_answers(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BAM_PRIVATE_NETWORKS", "127.0.0.0/8")

    async def two(host: str, port: int) -> list[str]:
        return ["127.0.0.1", "127.0.0.7"]

    async def none(host: str, port: int) -> list[str]:
        raise Failure("name", "The host was not found.")

    url = web.put("/a", answer(picture(1)))
    (found,) = fetch(tmp_path, url, resolver=two)
    assert isinstance(found, Picture)
    assert failure(tmp_path, url, resolver=none).kind == "name"


# Robots -------------------------------------------------------------------------------------------------------------


def test_robots_txt_is_read_once_and_decides(web: Web, tmp_path: Path) -> None:
    web.put("/robots.txt", answer(b"User-agent: *\nDisallow: /private/", kind="text/plain"))
    web.put("/private/a", answer(picture(1)))
    web.put("/b", answer(picture(2)))
    web.put("/c", redirect("/private/a"))
    found = fetch(tmp_path, *map(web.url, ("/private/a", "/b", "/c", "/x/../private/a")))
    assert [one.kind if isinstance(one, Failure) else "" for one in found] == [
        "robots.txt",
        "",
        "robots.txt",
        "robots.txt",
    ]
    assert [path for _, path in web.asked] == ["/robots.txt", "/b", "/c"]


def test_a_robots_txt_that_fails_keeps_everything_out_and_one_that_is_missing_nothing(web: Web, tmp_path: Path) -> None:
    web.put("/robots.txt", answer(status=503), answer(status=404))
    url = web.put("/a", answer(picture(1)))
    first, second = fetch(tmp_path, url, url)
    assert isinstance(first, Failure)
    assert first.kind == "server error"
    assert isinstance(second, Picture)


def test_an_endless_robots_txt_is_read_up_to_its_limit(web: Web, tmp_path: Path) -> None:
    web.put("/robots.txt", endless(b"User-agent: *\nDisallow: /no\n"))
    web.put("/no", answer(picture(1)))
    assert failure(tmp_path, web.url("/no")).kind == "robots.txt"


def test_who_is_permitted_may_ignore_both(web: Web, tmp_path: Path) -> None:
    web.put("/robots.txt", answer(b"User-agent: *\nDisallow: /", kind="text/plain"))
    url = web.put("/a", answer(picture(1), X_Robots_Tag="noai"))
    (found,) = fetch(tmp_path, url, settings=Settings(respect_robots=False))
    assert isinstance(found, Picture)
    assert [path for _, path in web.asked] == ["/a"]


# Copies -------------------------------------------------------------------------------------------------------------


def test_copies_have_the_shorter_side_that_was_asked_for_and_small_pictures_stay_as_they_are(
    web: Web, tmp_path: Path
) -> None:
    large = web.put("/large", answer(picture(1, (400, 200))))
    small = web.put("/small", answer(picture(2, (400, 90))))
    first, second = fetch(tmp_path, large, small, settings=Settings(shorter_side=100))
    assert isinstance(first, Picture)
    assert isinstance(second, Picture)
    assert (first.width, first.height, first.file[-4:]) == (200, 100, ".jpg")
    with Image.open(tmp_path / first.file) as copy:
        assert (copy.size, copy.format) == ((200, 100), "JPEG")
    assert (tmp_path / second.file).read_bytes() == picture(2, (400, 90))
