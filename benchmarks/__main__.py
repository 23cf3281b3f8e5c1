"""`python -m benchmarks [NAME]…`: run the benchmarks of this folder, all or the named ones, each beside its peers."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

FOLDER = Path(__file__).parent


def main(names: list[str]) -> int:
    known = sorted(file.stem for file in FOLDER.glob("[a-z]*.py"))
    for name in names:
        if name not in known:
            print(f"no benchmark is called {name!r}; there are {', '.join(known)}", file=sys.stderr)
            return 2
    for name in names or known:
        print(f"== {name}", flush=True)
        sys.argv = [str(FOLDER / f"{name}.py")]
        runpy.run_path(sys.argv[0], run_name="__main__")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
