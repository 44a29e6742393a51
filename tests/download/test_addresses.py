"""Addresses from which nothing is downloaded, however they are written."""

import pytest

from bam_engine.download.addresses import allowed_networks, why_refused
from bam_engine.errors import CollectionError


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_public_addresses_are_asked(address: str) -> None:
    assert why_refused(address) is None


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.0.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd12::1",
        "ff02::1",
        "fec0::1",
        "3fff::1",
        "192.88.99.1",
        "2001:db8::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a00:1",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2001:0:7f00:1::",
        "localhost",
        "",
    ],
)
def test_private_local_and_disguised_addresses_are_refused(address: str) -> None:
    assert why_refused(address)


def test_the_owner_allows_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAM_PRIVATE_NETWORKS", "10.1.0.0/16, ::1")
    allowed = allowed_networks()
    assert why_refused("10.1.2.3", allowed) is None
    assert why_refused("::ffff:10.1.2.3", allowed) is None
    assert why_refused("::1", allowed) is None
    assert why_refused("10.2.0.1", allowed)
    monkeypatch.setenv("BAM_PRIVATE_NETWORKS", "10.1.0.0/16,home")
    with pytest.raises(CollectionError, match="BAM_PRIVATE_NETWORKS"):
        allowed_networks()
