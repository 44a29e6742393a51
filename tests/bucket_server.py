"""A server of buckets on this computer: moto behind a door at which tests refuse requests and count them."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

KEY, SECRET = "AKIATESTTESTTEST", "a-secret-of-the-tests"

Refuse = Callable[[str, str], tuple[int, str] | None]
"""Method and key of a request → status and code of the refusal, or None."""


class BucketServer:
    """A server of S3. ``requests`` are methods and keys; ``refuse`` may be set by a test."""

    def __init__(self) -> None:
        import boto3
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
        from werkzeug.serving import WSGIRequestHandler, make_server

        class Quiet(WSGIRequestHandler):
            def log(self, *message: Any) -> None: ...

        self._moto = DomainDispatcherApplication(create_backend_app)
        self.requests: list[tuple[str, str]] = []
        self.refuse: Refuse = lambda method, key: None
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True, request_handler=Quiet)
        self.url = f"http://127.0.0.1:{self._server.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()
        self._client = boto3.client("s3", endpoint_url=self.url, region_name="us-east-1")

    def bucket(self, name: str) -> "Bucket":
        """Make a bucket."""
        return Bucket(self, self._client, name)

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        key = environ["PATH_INFO"].encode("latin-1").decode().lstrip("/").partition("/")[2]
        self.requests.append((environ["REQUEST_METHOD"], key))
        refusal = self.refuse(environ["REQUEST_METHOD"], key)
        if refusal is None:
            return self._moto(environ, start_response)
        status, code = refusal
        body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>refused</Message></Error>".encode()
        start_response(f"{status} refused", [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]

    def read(self) -> list[str]:
        """The keys of the objects that were read."""
        return [key for method, key in self.requests if method == "GET" and key]

    def close(self) -> None:
        self._client.close()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Bucket:
    """A bucket of a server."""

    def __init__(self, server: BucketServer, client: Any, name: str) -> None:
        self.server, self.name = server, name
        self.address = f"s3://{name}"
        self._client = client
        client.create_bucket(Bucket=name, ACL="public-read")

    def put(self, key: str, content: bytes, *, public: bool = False) -> None:
        access = "public-read" if public else "private"
        self._client.put_object(Bucket=self.name, Key=key, Body=content, ACL=access)

    def delete(self, key: str) -> None:
        self._client.delete_object(Bucket=self.name, Key=key)


@contextmanager
def bucket_server() -> Iterator[BucketServer]:
    """Run a server for the block, with its credentials in the environment."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/nowhere",
            "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
        }.items():
            patch.setenv(name, value)
        server = BucketServer()
        try:
            yield server
        finally:
            server.close()
