"""Rules for hosts that have moved: what a rule is, and what it changes."""

import pytest

from bam_engine.download.hosts import parse_rules, rewritten
from bam_engine.download.urls import parse_url
from bam_engine.errors import CollectionError


def test_a_rule_changes_the_host_and_nothing_else() -> None:
    rules = parse_rules(["Bücher.example = NEW.example.", "10.0.0.1=other.example"])
    assert rewritten(parse_url("http://bücher.example:8080/a%20b.jpg?x=1"), rules).text == (
        "http://new.example:8080/a%20b.jpg?x=1"
    )
    assert rewritten(parse_url("https://10.0.0.1/"), rules).text == "https://other.example/"
    for other in ("https://sub.xn--bcher-kva.example/", "https://new.example/"):
        assert rewritten(parse_url(other), rules).text == other
    assert parse_rules([]) == {}


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (["old.example"], "no rule for hosts. Write OLD=NEW"),
        (["=new.example"], "'' in the rule '=new.example' is no name of a host"),
        (["old.example="], "no name of a host"),
        (["old.example=ann@new.example"], "no name of a host"),
        (["old example=new.example"], "no name of a host"),
        (["old.example=https://new.example"], "is (no|more than the) name of a host"),
        (["old.example=new.example/images"], "more than the name of a host"),
        (["old.example:8080=new.example"], "more than the name of a host"),
        (["old.example=new.example=x"], "no name of a host"),
        (["a.example=b.example", "a.example=c.example"], "Both b.example and c.example"),
        (["a.example=b.example", "b.example=c.example"], "Rules are applied once: write a.example=c.example"),
        (["a.example=a.example", "b.example=a.example"], "the rule a.example=a.example changes nothing. Leave that"),
        (["a.example=b.example", "b.example=a.example"], "a.example and b.example are each to be asked instead of"),
    ],
)
def test_what_is_no_rule_says_what_to_write(rules: list[str], words: str) -> None:
    with pytest.raises(CollectionError, match=words):
        parse_rules(rules)
