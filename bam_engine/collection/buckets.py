"""Buckets: how their addresses are written, and how their objects are listed and read.

In:  the address of a bucket or of a folder in it, or that of an object. Out: pages of what is there, and bytes. An
object stays where it is; nothing is written to a bucket. Credentials come from the environment or from the provider's
own configuration when a request is made: they are in no address, no error and no table.
"""

import errno
import functools
import importlib
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from bam_engine.errors import BucketUnavailable, CollectionError

ROOTS = "BAM_IMAGE_BUCKETS"
"""The environment variable with the addresses that images may be added from, separated by spaces; unset: all."""

ATTEMPTS = 3
"""How often a request is made that gets no answer, or one that tells to come again."""

_CONNECTIONS = 32
_SECONDS_TO_CONNECT, _SECONDS_TO_READ = 10, 60
_DENIED = "The bucket does not let these credentials read the object. Allow it, and add the bucket again."
_PAGE = 1000  # objects
_SIGNED = re.compile(r"[?&](x-amz-|x-goog-|awsaccesskeyid=|sig=|signature=|token=)", re.IGNORECASE)
_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]*)://(.*)", re.IGNORECASE | re.DOTALL)
_CREDENTIALS = frozenset(
    {"ExpiredToken", "InvalidAccessKeyId", "InvalidToken", "RequestTimeTooSkewed", "SignatureDoesNotMatch", "401"}
)
_TAGS = ("ETag", "etag", "generation", "LastModified", "last_modified", "updated", "mtime", "created")
_TIMES = ("LastModified", "last_modified", "updated", "mtime", "created")


class ObjectDenied(PermissionError):
    """The credentials may not read an object."""

    def __str__(self) -> str:
        return str(self.strerror)


class Provider(NamedTuple):
    """Where buckets are: the name of a class of fsspec, the extra that installs it, and who holds the credentials."""

    protocol: str
    extra: str
    credentials: str


PROVIDERS = {
    "s3": Provider("s3", "s3", "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"),
    "gs": Provider("gs", "gcs", "GOOGLE_APPLICATION_CREDENTIALS, or `gcloud auth application-default login`"),
    "az": Provider(
        "az", "azure", "AZURE_STORAGE_ACCOUNT_NAME with AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN"
    ),
}
"""The beginnings of addresses, and what they need."""


@dataclass(frozen=True)
class Access:
    """How a bucket is reached, beyond what the environment says; no secret is in it.

    ``endpoint_url`` is that of a server other than the provider's own, such as MinIO; "" for none. A bucket that is
    ``anonymous`` is asked without credentials.
    """

    endpoint_url: str = ""
    anonymous: bool = False


@dataclass(frozen=True)
class BucketObject:
    """An object of a bucket: its address, how it is reached, and its stamp as far as it is known.

    A stamp is the size and the entity tag, or without one the time of the last change. Another one means that the
    object is to be read again.
    """

    uri: str
    access: Access = Access()
    stamp: str = ""

    def __str__(self) -> str:
        return self.uri

    @property
    def name(self) -> str:
        """The last part of the address."""
        return self.uri.rpartition("/")[2]

    @property
    def suffix(self) -> str:
        """The end of the name, with its dot."""
        return PurePosixPath(self.name).suffix

    @property
    def size(self) -> int | None:
        """The size in bytes, if the stamp is known."""
        return int(self.stamp.split(" ", 1)[0]) if self.stamp else None


def is_address(text: str) -> bool:
    """Return whether a text is the address of a bucket or of something in it.

    Examples
    --------
    >>> is_address("s3://art/birds/owl.png"), is_address("/art/owl.png")
    (True, False)
    """
    return text.partition("://")[0] in PROVIDERS and "://" in text


def check_address(text: str) -> str:
    """Return the address of a bucket, or of a folder in one, without slashes at its end.

    Raises
    ------
    CollectionError
        It is none, or it holds credentials. The message repeats none.

    Examples
    --------
    >>> check_address("s3://art/birds/")
    's3://art/birds'
    """
    parts = _ADDRESS.fullmatch(text.strip())
    known = ", ".join(f"{scheme}://BUCKET/FOLDER" for scheme in PROVIDERS)
    if parts is None:
        raise CollectionError(f"This is no address of a bucket. Write {known}.")
    scheme, place = parts[1].lower(), parts[2].strip("/")
    if "@" in place.partition("/")[0] or _SIGNED.search(place):
        raise CollectionError(
            "The address holds credentials, which are never stored. Write it without them, and put them into the "
            "environment or into the configuration of the provider."
        )
    if scheme not in PROVIDERS:
        hint = {
            "file": " For a folder of this computer, use `bam ingest FOLDER`.",
            "http": " For pictures of the web, download a list of their URLs: `bam urls add`.",
            "https": " For pictures of the web, download a list of their URLs: `bam urls add`.",
        }.get(scheme, "")
        raise CollectionError(f"{scheme}:// is no bucket that can be read. Write {known}.{hint}")
    if not place:
        raise CollectionError(f"The address {scheme}:// names no bucket. Write {known}.")
    return f"{scheme}://{place}"


def bucket_roots() -> tuple[str, ...]:
    """Return the addresses that images may be added from, by the variable ``BAM_IMAGE_BUCKETS``; () for all."""
    return tuple(check_address(root) for root in os.environ.get(ROOTS, "").split())


def check_allowed_address(text: str) -> str:
    """Return an address, as :func:`check_address` does, if images may be added from it.

    Raises
    ------
    CollectionError
        It is no address of a bucket, or it is outside of :func:`bucket_roots`.
    """
    address, roots = check_address(text), bucket_roots()
    if roots and not any(f"{address}/".startswith(f"{root}/") for root in roots):
        raise CollectionError(
            f"Images may not be added from {address}: this server reads {', '.join(roots)} ({ROOTS}). Choose an "
            "address there, or ask whoever runs the server."
        )
    return address


def check_endpoint(url: str) -> str:
    """Return the URL of a server of buckets, "" for the provider's own.

    Raises
    ------
    CollectionError
        It is no such URL, or holds credentials.
    """
    url = url.strip().rstrip("/")
    parts = urlsplit(url)
    if "@" in parts.netloc or parts.query:
        raise CollectionError("The endpoint holds credentials. Write its URL without them: https://HOST:PORT.")
    if url and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise CollectionError("The endpoint is no URL. Write https://HOST:PORT, or nothing for the provider's own.")
    return url


def bucket_of(address: str) -> str:
    """Return the address of the bucket that something is in.

    Examples
    --------
    >>> bucket_of("s3://art/birds/owl.png")
    's3://art'
    """
    scheme, _, place = address.partition("://")
    return f"{scheme}://{place.partition('/')[0]}"


def objects_below(address: str, access: Access) -> Iterator[list[BucketObject]]:
    """Yield the objects of a bucket, or of a folder in it, in pages; of S3 by their names, others folder by folder.

    Raises
    ------
    BucketUnavailable
        The bucket does not answer, is not there, or may not be listed.
    CollectionError
        The package that reads such buckets is not installed.
    """
    scheme, _, place = address.partition("://")
    pages = _listed_s3 if PROVIDERS[scheme].protocol == "s3" else _listed_by_folder
    listed = _pages(pages(_filesystem(scheme, access, os.getpid()), place), address)
    for page in listed:
        yield [
            BucketObject(f"{scheme}://{entry['name'].lstrip('/')}", access, _stamp(entry))
            for entry in page
            if not entry["name"].endswith("/")
        ]


def _pages(pages: Iterator[list[dict[str, Any]]], address: str) -> Iterator[list[dict[str, Any]]]:
    """Yield pages; say what keeps the next one from coming."""
    while True:
        try:
            page = next(pages, None)
        except Exception as error:
            raise _unavailable(address, error, listing=True) from None
        if page is None:
            return
        yield page


def _listed_s3(filesystem: Any, place: str) -> Iterator[list[dict[str, Any]]]:
    """Yield pages as the server gives them: one of them is in memory, however many objects there are."""
    bucket, _, folder = place.partition("/")
    more: dict[str, str] = {}
    while True:
        answer = filesystem.call_s3(
            "list_objects_v2", Bucket=bucket, Prefix=f"{folder}/" if folder else "", MaxKeys=_PAGE, **more
        )
        found = answer.get("Contents", [])
        yield [{**entry, "name": f"{bucket}/{entry['Key']}", "size": entry["Size"]} for entry in found]
        if not answer.get("IsTruncated"):
            return
        more = {"ContinuationToken": answer["NextContinuationToken"]}


def _listed_by_folder(filesystem: Any, place: str) -> Iterator[list[dict[str, Any]]]:
    folders = [place]
    while folders:
        try:
            entries = filesystem.ls(folders.pop(), detail=True)
        except FileNotFoundError:  # without objects, there is no folder
            continue
        folders += [entry["name"] for entry in entries if entry["type"] == "directory"]
        files = [entry for entry in entries if entry["type"] != "directory"]
        for start in range(0, len(files), _PAGE):
            yield files[start : start + _PAGE]


def read_object(which: BucketObject, *, most: int | None = None) -> bytes:
    """Return the bytes of an object, or the first ``most`` of them.

    Raises
    ------
    FileNotFoundError, PermissionError
        It is not there, or may not be read.
    BucketUnavailable
        The bucket does not answer, or knows the credentials not.
    """
    content: bytes = _asked(which, lambda filesystem, path: filesystem.cat_file(path, end=most))
    return content


def look_up(which: BucketObject) -> BucketObject:
    """Return an object with its stamp as it is now. Errors are those of :func:`read_object`."""
    entry = _asked(which, lambda filesystem, path: filesystem.info(path))
    if entry["type"] == "directory":
        raise FileNotFoundError(errno.ENOENT, "it is not there", which.uri)
    return BucketObject(which.uri, which.access, _stamp(entry))


def changed_at(which: BucketObject) -> datetime | None:
    """Return when an object was last written, if its bucket tells. Errors are those of :func:`read_object`."""
    entry = _asked(which, lambda filesystem, path: filesystem.info(path))
    times = (entry.get(name) for name in _TIMES)
    return next((time for time in times if isinstance(time, datetime)), None)


def _asked(which: BucketObject, ask: Callable[[Any, str], Any]) -> Any:
    scheme, _, path = which.uri.partition("://")
    try:
        return ask(_filesystem(scheme, which.access, os.getpid()), path)
    except CollectionError:
        raise
    except Exception as error:
        code = _code(error)
        if code not in _CREDENTIALS | {"NoSuchBucket"}:
            if isinstance(error, FileNotFoundError) or code == "404":
                raise FileNotFoundError(errno.ENOENT, "it is not there", which.uri) from None
            if isinstance(error, PermissionError) or code in ("403", "AccessDenied"):
                raise ObjectDenied(errno.EACCES, _DENIED) from None
        raise _unavailable(which.uri, error) from None


def _stamp(entry: dict[str, Any]) -> str:
    tag = next((entry[name] for name in _TAGS if entry.get(name)), "")
    return f"{entry['size'] or 0} {tag}".replace('"', "")


def _code(error: BaseException) -> str:
    """Return what a provider calls an error: its code, or the status of the answer; "" where it says nothing."""
    cause = error.__cause__ or error
    response = getattr(cause, "response", None)
    if isinstance(response, dict):
        return str(response.get("Error", {}).get("Code", ""))
    return str(getattr(cause, "status_code", "") or getattr(cause, "code", "") or "")


def _unavailable(address: str, error: BaseException, *, listing: bool = False) -> BucketUnavailable:
    """Return why a bucket gives nothing, in words of our own: a library's may hold what was signed."""
    forget_connections()  # other credentials may be there at the next try
    scheme, code = address.partition("://")[0], _code(error)
    provider = PROVIDERS[scheme]
    go_on = "What was finished is kept, and the same step goes on from there."
    said = f" ({code})" if code else ""
    if type(error).__name__ in ("NoCredentialsError", "PartialCredentialsError", "DefaultCredentialsError"):
        return BucketUnavailable(
            f"There are no credentials for {address}. Set {provider.credentials}, or say that the bucket is anonymous. "
            f"{go_on}"
        )
    if code in _CREDENTIALS:
        return BucketUnavailable(
            f"{address}: the credentials of the environment are not valid{said}. Renew {provider.credentials}. {go_on}"
        )
    if isinstance(error, PermissionError) or code in ("403", "AccessDenied"):
        what = "list the bucket (s3:ListBucket)" if listing and scheme == "s3" else "list it" if listing else "read it"
        return BucketUnavailable(f"{address}: the credentials of the environment may not {what}{said}. {go_on}")
    if isinstance(error, FileNotFoundError) or code in ("NoSuchBucket", "404"):
        return BucketUnavailable(f"There is no bucket {bucket_of(address)}. Check its name, and the endpoint.")
    return BucketUnavailable(
        f"{address} was asked {ATTEMPTS} times, and no answer came{said}. Check the network, the name of the bucket "
        f"and the endpoint. {go_on}"
    )


def forget_connections() -> None:
    """Look for credentials anew at the next request."""
    _filesystem.cache_clear()


@functools.lru_cache(maxsize=16)
def _filesystem(scheme: str, access: Access, process: int) -> Any:
    """Return what reads the buckets of a provider; one for all threads of a process."""
    provider = PROVIDERS[scheme]
    try:
        made = importlib.import_module("fsspec").get_filesystem_class(provider.protocol)
    except ImportError as error:
        raise BucketUnavailable(
            f"{scheme}:// needs a package that is not installed. Install it with: pip install "
            f"'bam-engine[{provider.extra}]'"
        ) from error
    filesystem = made(**_options(provider, access), skip_instance_cache=True, use_listings_cache=False)
    if provider.protocol == "s3":
        filesystem.retries = 1  # the client below repeats requests
    return filesystem


def _options(provider: Provider, access: Access) -> dict[str, Any]:
    endpoint = access.endpoint_url or None
    if provider.protocol == "s3":
        return {
            "anon": access.anonymous,
            "endpoint_url": endpoint,
            "max_concurrency": 1,  # one request for an object, in place of a question how large it is and several
            "config_kwargs": {
                "retries": {"max_attempts": ATTEMPTS, "mode": "standard"},
                "connect_timeout": _SECONDS_TO_CONNECT,
                "read_timeout": _SECONDS_TO_READ,
                "max_pool_connections": _CONNECTIONS,
            },
        }
    if provider.protocol == "gs":
        return {"endpoint_url": endpoint} | ({"token": "anon"} if access.anonymous else {})
    if provider.protocol == "az":
        return {"anon": access.anonymous, "account_host": urlsplit(endpoint).netloc if endpoint else None}
    return {}
