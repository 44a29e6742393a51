"""What robots.txt (RFC 9309) and X-Robots-Tag allow."""

import pytest

from bam_engine.download.robots import opted_out, parse_robots


@pytest.mark.parametrize(
    ("text", "path", "allowed"),
    [
        ("", "/a", True),
        ("User-agent: *\nDisallow: /", "/a", False),
        ("User-agent: *\nDisallow:", "/a", True),
        ("Disallow: /", "/a", True),
        ("User-agent: otherbot\nDisallow: /", "/a", True),
        ("User-agent: *\nDisallow: /\nUser-agent: bam-engine\nDisallow: /private", "/a", True),
        ("User-agent: *\nDisallow: /\nUser-agent: BAM-Engine/0.1\nDisallow: /private", "/private/b", False),
        ("User-agent: bam-engine\nUser-agent: other\nDisallow: /a", "/a", False),
        (
            "User-agent: bam-engine\nDisallow: /a\nUser-agent: *\nDisallow: /b\nUser-agent: bam-engine\nDisallow: /c",
            "/c",
            False,
        ),
        ("User-agent: bam-engine-images\nDisallow: /", "/a", True),
        ("user-agent:*\ndisallow:/a # not this\n", "/a/b.jpg", False),
        ("\ufeffUser-agent: *\r\nDisallow: /a\r\n", "/a", False),
        ("User-agent: *\nDisallow: /a\nAllow: /a/b", "/a/b/c", True),
        ("User-agent: *\nAllow: /a\nDisallow: /a", "/a", True),
        ("User-agent: *\nDisallow: /*.gif$", "/x/y.gif", False),
        ("User-agent: *\nDisallow: /*.gif$", "/x/y.gif?z", True),
        ("User-agent: *\nDisallow: /a*b*c", "/a1b2c3", False),
        ("User-agent: *\nDisallow: /a*b*c", "/a1c2b3", True),
        ("User-agent: *\nDisallow: /aa*aa$", "/aaa", True),
        ("User-agent: *\nDisallow: /%7Euser/", "/~user/x", False),
        ("User-agent: *\nDisallow: /ü", "/%C3%BC/x", False),
        ("User-agent: *\nDisallow: /x?id=", "/x?id=3", False),
        ("<html><body>no robots here</body></html>", "/a", True),
    ],
)
def test_robots_txt(text: str, path: str, allowed: bool) -> None:
    assert parse_robots(text).allows(path) is allowed


def test_a_pattern_of_many_stars_is_matched_at_once() -> None:
    rules = parse_robots("User-agent: *\nDisallow: /" + "a*" * 400 + "b$")
    assert rules.allows("/" + "a" * 2000)


@pytest.mark.parametrize(
    ("tags", "directive"),
    [
        ([], None),
        (["all"], None),
        (["noai"], "noai"),
        (["nofollow, NoImageAI"], "noimageai"),
        (["bam-engine: noimageindex"], "noimageindex"),
        (["otherbot: noai", "none"], "none"),
        (["otherbot: noai"], None),
        (["unavailable_after: 25 Jun 2027 15:00:00 PST, noindex"], "noindex"),
        (["max-image-preview: large"], None),
    ],
)
def test_x_robots_tag(tags: list[str], directive: str | None) -> None:
    assert opted_out(tags) == directive
