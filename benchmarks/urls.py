"""Downloading a list of URLs: how fast, compared with what the server gives at most, and in how much memory.

A server of this computer, in a process of its own, answers every request with a small JPEG whose bytes differ, under
the names of 64 hosts. Its maximum is what a client takes that asks over as many connections and looks at nothing. Each
task runs in a process of its own: fetching with pictures stored and statuses noted, the same with adding to the
collection, and reading a list of which one line in a hundred is garbage. Memory is the peak of the process above what
its libraries take, for a quarter of the work and for all of it: it should not grow.
"""

import argparse
import asyncio
import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from PIL import Image

from bam_engine.collection import Catalogue, Thumbnails
from bam_engine.database import open_database
from bam_engine.download import Settings, Stores, download_list
from bam_engine.download.addresses import allowed_networks
from bam_engine.download.fetching import Fetcher
from bam_engine.download.lists import read_list
from bam_engine.download.network import CheckedNetwork
from bam_engine.download.running import Run
from bam_engine.download.statuses import Statuses
from bam_engine.download.url_lists import prepare
from bam_engine.progress import silent
from benchmarks.machine import machine
from benchmarks.options import benchmark_parser

HOSTS = 64
CONNECTIONS = 64
GARBAGE = 100  # one line in so many
_SIDE = 64  # pixels


async def here(host: str, port: int) -> list[str]:
    return ["127.0.0.1"]


def picture() -> bytes:
    file = io.BytesIO()
    Image.radial_gradient("L").resize((_SIDE, _SIDE)).convert("RGB").save(file, "JPEG")
    return file.getvalue()


class Answering(asyncio.Protocol):
    """Answers each request with the picture and the number of its path."""

    body = picture()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        for request in data.split(b"\r\n\r\n")[:-1]:
            path = request.split(b" ", 2)[1]
            found = path != b"/robots.txt"
            body = self.body + path if found else b""
            head = b"HTTP/1.1 %s\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n"
            self.transport.write(head % (b"200 OK" if found else b"404 Not Found", len(body)) + body)  # type: ignore[attr-defined]


async def serve() -> None:
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


class Asking(asyncio.Protocol):
    """Asks for one picture after the other, and looks at nothing but the end of each."""

    left = 0

    def __init__(self, done: asyncio.Event) -> None:
        self.done, self.size = done, 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.ask()

    def ask(self) -> None:
        if Asking.left <= 0:
            self.done.set()
            return
        Asking.left -= 1
        self.transport.write(b"GET /%08d HTTP/1.1\r\nHost: web.example\r\n\r\n" % Asking.left)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self.size += len(data)
        if data.endswith(b"/%08d" % int(data[-8:] if data[-8:].isdigit() else 0)):
            self.ask()


async def ask(port: int, n: int) -> None:
    Asking.left, loop = n, asyncio.get_running_loop()
    ends = [asyncio.Event() for _ in range(CONNECTIONS)]
    for end in ends:
        await loop.create_connection(lambda end=end: Asking(end), "127.0.0.1", port)  # type: ignore[misc]
    await asyncio.gather(*(end.wait() for end in ends))


def write_list(file: Path, n: int, port: int) -> None:
    """Write a list of ``n`` lines, of which one in a hundred is garbage."""
    garbage = ("", "nonsense", "http://user@x/1", '"never closed', "ftp://x/1", "http://exa mple/1", "\x00\x01")
    with file.open("w") as out:
        out.write("url,title\n")
        for number in range(n):
            url = f"http://host{number % HOSTS}.example:{port}/{number:08d}"
            out.write(f"{garbage[number // GARBAGE % len(garbage)] if number % GARBAGE == 0 else url},a title\n")


# Tasks, each in a process of its own ----------------------------------------------------------------------------------


def maximum(folder: Path, n: int, port: int) -> None:
    asyncio.run(ask(port, n))


def reading(folder: Path, n: int, port: int) -> None:
    statuses = Statuses(folder)
    for _ in statuses.add(read_list(folder / "list.csv")):
        pass
    statuses.close()


def fetching(folder: Path, n: int, port: int) -> None:
    reading(folder, n, port)
    statuses, settings = Statuses(folder), Settings(connections=CONNECTIONS)
    prepare(folder / "images")
    network = CheckedNetwork(allowed_networks(), here)

    async def go() -> None:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(CONNECTIONS))
        fetcher = Fetcher(settings, folder / "images", network)
        await Run(statuses, fetcher, settings, lambda batch: [], silent).go()
        await fetcher.aclose()

    asyncio.run(go())
    assert statuses.counts().added > 0.98 * n, statuses.errors()  # noqa: S101
    statuses.close()


def adding(folder: Path, n: int, port: int) -> None:
    engine = open_database(f"sqlite:///{folder / 'bam.sqlite'}")
    stores = Stores(Catalogue(engine), Thumbnails(folder / "thumbnails"), folder / "downloads")
    done = download_list(stores, folder / "list.csv", resolver=here)
    assert done.added > 0.98 * n, done  # noqa: S101
    engine.dispose()


TASKS: dict[str, Callable[[Path, int, int], None]] = {
    "the server's maximum": maximum,
    "fetching and storing": fetching,
    "fetching, storing and adding to the collection": adding,
    "reading a list": reading,
}


def child(task: str, n: int, port: int) -> None:
    """Run one task and print its figures."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if task != "the server's maximum":
            write_list(folder / "list.csv", n, port)
        before, begin = peak(), time.perf_counter()
        TASKS[task](folder, n, port)
        print(json.dumps({"seconds": time.perf_counter() - begin, "bytes": peak() - before}))


def peak() -> int:
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def measure(n: int, lines: int) -> dict[str, Any]:
    """Run every task for a quarter of its work and for all of it."""
    os.environ["BAM_PRIVATE_NETWORKS"] = "127.0.0.0/8"
    server = subprocess.Popen([sys.executable, "-m", "benchmarks.urls", "--serve"], stdout=subprocess.PIPE, text=True)
    try:
        port = int(server.stdout.readline()) if server.stdout else 0
        found = []
        for task in TASKS:
            whole = lines if task == "reading a list" else n
            runs = [_run(task, size, port) for size in (whole // 4, whole)]
            found.append({"task": task, "n": whole, "rate": whole / runs[1]["seconds"], "runs": runs})
    finally:
        server.terminate()
        server.wait()
    return {"machine": machine(), "data": "generated", "tasks": found}


def _run(task: str, n: int, port: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.urls", "--child", task, "--n", str(n), "--port", str(port)]
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(out.splitlines()[-1])  # type: ignore[no-any-return]


def show(figures: dict[str, Any]) -> None:
    print(figures["machine"])
    print(f"generated pictures of {_SIDE} × {_SIDE} pixels, {len(picture()):,} bytes; {HOSTS} hosts\n")
    most = figures["tasks"][0]["rate"]
    print(f"{'':<48}{'lines':>12}{'a second':>10}{'of maximum':>12}{'MB, quarter':>13}{'MB, all':>9}")
    for one in figures["tasks"]:
        share = "" if one["task"] == "reading a list" else f"{one['rate'] / most:.0%}"
        quarter, whole = (run["bytes"] / 1e6 for run in one["runs"])
        print(f"{one['task']:<48}{one['n']:>12,}{one['rate']:>10,.0f}{share:>12}{quarter:>13.0f}{whole:>9.0f}")


def parser() -> argparse.ArgumentParser:
    """Return the options of this benchmark."""
    options = benchmark_parser("urls", __doc__)
    options.add_argument("--n", type=int, default=100_000, help="URLs (default: %(default)s)")
    options.add_argument("--lines", type=int, default=10_000_000, help="lines of the list (default: %(default)s)")
    options.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options.add_argument("--child", choices=list(TASKS), help=argparse.SUPPRESS)
    options.add_argument("--port", type=int, help=argparse.SUPPRESS)
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    if options.serve:
        asyncio.run(serve())
    elif options.child:
        child(options.child, options.n, options.port)
    else:
        figures = measure(options.n, options.lines)
        show(figures)
        if options.json:
            options.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
