"""URLs as they are requested: one spelling each, and nothing but the web."""

import pytest

from bam_engine.download.outcomes import Failure
from bam_engine.download.urls import MAX_LENGTH, parse_url


@pytest.mark.parametrize(
    ("written", "requested"),
    [
        ("http://example.org", "http://example.org/"),
        ("  HTTPS://Example.ORG:443/A.jpg#top\n", "https://example.org/A.jpg"),
        ("http://example.org:80/a", "http://example.org/a"),
        ("http://example.org:8080/a", "http://example.org:8080/a"),
        ("http://example.org/two words.jpg", "http://example.org/two%20words.jpg"),
        ("http://example.org/50%/a%20b?q=ü&r=%zz", "http://example.org/50%25/a%20b?q=%C3%BC&r=%25zz"),
        ("http://bücher.example/ä", "http://xn--bcher-kva.example/%C3%A4"),
        ("http://straße.example/", "http://xn--strae-oqa.example/"),
        ("http://example.org./a", "http://example.org/a"),
        ("http://[2001:DB8::1]/a", "http://[2001:db8::1]/a"),
        ("http://example.org/a/./b/../c", "http://example.org/a/c"),
        ("http://example.org/../../etc/passwd", "http://example.org/etc/passwd"),
        ("http://example.org/a/%2e%2E/b", "http://example.org/b"),
        ("http://①②⑦.⓪.⓪.①/", "http://127.0.0.1/"),
        ("http://under_score.example/a", "http://under_score.example/a"),
        ("http://example.org/a\\b", "http://example.org/a%5Cb"),
    ],
)
def test_a_url_has_one_spelling(written: str, requested: str) -> None:
    url = parse_url(written)
    assert url.text == requested
    assert parse_url(url.text) == url
    assert url.text.isascii()


@pytest.mark.parametrize(
    "written",
    [
        "",
        "   ",
        "picture.jpg",
        "//example.org/a",
        "ftp://example.org/a",
        "file:///etc/passwd",
        "gopher://127.0.0.1:70/_GET",
        "data:image/png;base64,AAAA",
        "javascript:alert(1)",
        "http:/example.org/a",
        "http:example.org",
        "http://",
        "http:///a",
        "http://user@example.org/a",
        "http://user:password@example.org/a",
        "http://good.example\\@evil.example/",
        "http://example.org/a\r\nX-Injected: yes",
        "http://exam\tple.org/",
        "http://example.org/\x00",
        "http://exa%6dple.org/",
        "http://ex ample.org/",
        "http://[fe80::1%25eth0]/",
        "http://[::1/",
        "http://[v1.a]/",
        "http://[::1]extra/",
        "http://example.org:+80/",
        "http://example.org:0/",
        "http://example.org:22/",
        "http://example.org:99999/",
        "http://example.org:port/",
        "http://example..org/",
        "http://\ufffd.example/",
        "http://example.org/\ufffd",
        "http://example.org/" + chr(0xD800),
        "http://" + "a" * 64 + "é.example/",
        "http://example.org/" + "a" * MAX_LENGTH,
    ],
)
def test_what_is_no_url_of_the_web_is_refused_in_a_sentence(written: str) -> None:
    with pytest.raises(Failure) as refused:
        parse_url(written)
    assert refused.value.kind == "bad url"
    assert refused.value.reason.endswith(".")
    assert refused.value.reason.isprintable()
    assert len(refused.value.reason) < 300


@pytest.mark.parametrize(
    ("location", "leads_to"),
    [
        ("b.jpg", "http://example.org/dir/b.jpg"),
        ("/b.jpg", "http://example.org/b.jpg"),
        ("//other.example/b", "http://other.example/b"),
        ("https://other.example", "https://other.example/"),
        ("?q=1", "http://example.org/dir/a.jpg?q=1"),
    ],
)
def test_a_redirect_is_read_from_where_it_was_given(location: str, leads_to: str) -> None:
    assert parse_url("http://example.org/dir/a.jpg").joined(location).text == leads_to


@pytest.mark.parametrize("location", ["file:///etc/passwd", "http://user@x/", "gopher://x", "http://[::1", "ftp://x/y"])
def test_a_redirect_leads_nowhere_but_to_the_web(location: str) -> None:
    with pytest.raises(Failure):
        parse_url("http://example.org/").joined(location)
