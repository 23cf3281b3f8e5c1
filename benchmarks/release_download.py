"""Downloading 1 GiB over the loopback interface with write and hash, against curl | tee | openssl; and its memory.

    python benchmarks/release_download.py [--mib 1024] [--rounds 5]

The rounds of both are interleaved and the fastest of each counts. The server is a process of its own that sends from
a file in the page cache. Ours is what the product runs: the transport, a file, SHA-256 in the same pass.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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


def timed(command: list[str]) -> tuple[float, str]:
    """Seconds and output of a command."""
    # The old file is dropped first: otherwise its pages are written to disk during a later round.
    Path(command[-1] if command[0] == "bash" else command[4]).unlink(missing_ok=True)
    before = time.perf_counter()
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return time.perf_counter() - before, output


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    size = arguments.mib << 20
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (folder / "content").open("wb") as file:
            for _ in range(arguments.mib):
                file.write(os.urandom(1 << 20))
        target = str(folder / "target")
        pipeline = 'set -o pipefail; curl -sf "$0" | tee "$1" | openssl dgst -sha256 -r'
        best = {"curl | tee | openssl": float("inf"), "hephaestus": float("inf")}
        with serving(folder / "content") as url:
            for _ in range(arguments.rounds):
                seconds, theirs = timed(["bash", "-c", pipeline, url, target])
                best["curl | tee | openssl"] = min(best["curl | tee | openssl"], seconds)
                seconds, ours = timed([sys.executable, "-c", _OURS, url, target, str(size)])
                best["hephaestus"] = min(best["hephaestus"], seconds)
                assert theirs.split()[0] == ours.split()[0], "the digests differ"
    peer = best["curl | tee | openssl"]
    for label, seconds in best.items():
        print(f"{label:22} {seconds:6.2f} s  {seconds / peer:5.2f}")
    print(f"resident memory        {ours.split()[1]} MiB")
    print(f"of this process        {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MiB")


if __name__ == "__main__":
    main()
