"""Hosts that have moved: the pictures of one are asked for from another, at the same paths.

In:  rules, and the URL of a list. Out: the URL that is requested. What the list and the collection know of a picture
stays its URL as it is written, so other files that name it still find it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from bam_engine.download.outcomes import Failure
from bam_engine.download.urls import Url, parse_url
from bam_engine.errors import CollectionError


def parse_rules(rules: Iterable[str]) -> dict[str, str]:
    """Return the hosts to ask instead of others, from texts such as ``old.example=new.example``.

    Raises
    ------
    CollectionError
        A text is no such rule, a host has two rules, or one is asked instead of which another is.

    Examples
    --------
    >>> parse_rules(["OLD.example=new.example"])
    {'old.example': 'new.example'}
    """
    hosts: dict[str, str] = {}
    for rule in rules:
        old, equals, new = rule.partition("=")
        if not equals:
            raise CollectionError(f"{rule!r} is no rule for hosts. Write OLD=NEW, such as old.example=new.example.")
        host, other = _host(old, rule), _host(new, rule)
        if hosts.setdefault(host, other) != other:
            raise CollectionError(f"Both {hosts[host]} and {other} are to be asked instead of {host}. Name one.")
    for old, new in hosts.items():
        if new not in hosts or old == new:
            continue
        if hosts[new] == new:
            raise CollectionError(
                f"{new} is to be asked instead of {old}, and the rule {new}={new} changes nothing. Leave that one out."
            )
        if hosts[new] == old:
            raise CollectionError(f"{old} and {new} are each to be asked instead of the other. Leave one rule out.")
        raise CollectionError(
            f"{new} is to be asked instead of {old}, and {hosts[new]} instead of {new}. Rules are applied once: "
            f"write {old}={hosts[new]}."
        )
    return hosts


def rewritten(url: Url, hosts: Mapping[str, str]) -> Url:
    """Return the URL to request for one of a list.

    Examples
    --------
    >>> rewritten(parse_url("https://old.example/a.jpg"), {"old.example": "new.example"}).text
    'https://new.example/a.jpg'
    """
    return replace(url, host=hosts.get(url.host, url.host))


def _host(text: str, rule: str) -> str:
    name = text.strip()
    try:
        url = parse_url(f"https://{name}/")
    except Failure as failure:
        raise CollectionError(f"{name!r} in the rule {rule!r} is no name of a host.") from failure
    if url.target != "/" or url.port != 443 or name.endswith((":443", "/")):
        raise CollectionError(f"{name!r} in the rule {rule!r} is more than the name of a host. Write OLD=NEW.")
    return url.host
