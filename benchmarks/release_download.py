"""Downloading over the loopback interface with write and hash, against curl | tee | openssl; and its memory.

The server is a process of its own that sends from a file in the page cache. Ours is what the product runs: the
transport, a file, SHA-256 in the same pass, in a fresh interpreter as curl is a fresh process.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks._measure import Comparison, Contender, LeftOut, Target, compare, stopwatch

QUICK = ("--mib", "64", "--rounds", "2")

_PEER = "curl | tee | openssl"
_PIPELINE = 'set -o pipefail; curl -sf "$0" | tee "$1" | openssl dgst -sha256 -r'

_SERVER = """
import os, socket, sys
path, size = sys.argv[1], os.path.getsize(sys.argv[1])
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
while True:
    client, _ = server.accept()
    client.recv(65536)
    client.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\nConnection: close\\r\\n\\r\\n" % size)
    with open(path, "rb") as file:
        offset = 0
        while offset < size:
            offset += os.sendfile(client.fileno(), file.fileno(), offset, size - offset)
    client.close()
"""

_OURS = """
import sys, resource
from hephaestus_release._http import Transport
from hephaestus_release._retry import Limits
from hephaestus_release._sink import FileSink
from hephaestus_release.sources import Request
url, target, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
with Transport(Limits(), api_url=url, loopback_http=True) as transport, open(target, "wb") as file:
    sink = FileSink(file)
    transport.receive(Request(url), sink, size=size, largest=size, on_retry=lambda retry: None)
    print(sink.sha256(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@contextmanager
def serving(path: Path) -> Iterator[str]:
    """The URL of a server that sends the file."""
    with subprocess.Popen([sys.executable, "-c", _SERVER, str(path)], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield f"http://127.0.0.1:{server.stdout.readline().strip()}/file"
        finally:
            server.kill()


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--mib", type=int, default=1024, help="size of the file")
    parser.add_argument("--rounds", type=int, default=5)


def measure(options: argparse.Namespace) -> Iterator[Comparison]:
    """Make a file of random content and download it by both."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (folder / "content").open("wb") as file:
            for _ in range(options.mib):
                file.write(os.urandom(1 << 20))
        with serving(folder / "content") as url:
            yield _downloads(url, folder / "target", options.mib, options.rounds)


def _downloads(url: str, target: Path, mib: int, rounds: int) -> Comparison:
    answers: dict[str, list[str]] = {}

    def contender(name: str, command: list[str]) -> Contender:
        def run() -> float:
            # The old file is dropped first: otherwise its pages are written to disk during a later round.
            target.unlink(missing_ok=True)
            with stopwatch() as watch:
                done = subprocess.run(command, capture_output=True, text=True, check=True)
            answers[name] = done.stdout.split()
            return watch.seconds

        return Contender(name, run)

    def peer() -> float:
        for program in ("bash", "curl", "tee", "openssl"):
            if shutil.which(program) is None:
                raise LeftOut(f"{program} is not installed")
        return pipeline.measure()

    pipeline = contender(_PEER, ["bash", "-c", _PIPELINE, url, str(target)])
    ours = contender("hephaestus", [sys.executable, "-c", _OURS, url, str(target), str(mib << 20)])
    comparison = compare(
        f"{mib} MiB over loopback",
        [Contender(_PEER, peer), ours],
        rounds=rounds,
        bases=[_PEER],
        targets=[Target("hephaestus", _PEER, 1.3)],
    )
    if len({answer[0] for answer in answers.values()}) != 1:
        raise RuntimeError("the digests differ")
    return comparison._replace(notes=[*comparison.notes, f"resident memory: {answers['hephaestus'][1]} MiB"])
