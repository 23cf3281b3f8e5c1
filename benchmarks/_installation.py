"""Virtual environments as users have them, made without a network: wheels, copied dependencies, cached bytecode."""

from __future__ import annotations

import compileall
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

__all__ = ["DISTRIBUTIONS", "Installation", "build_wheel"]

ROOT = Path(__file__).parents[1]
#: The projects of this repository.
DISTRIBUTIONS = (ROOT, *sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml")))

_CLASSIFIER = "Classifier: Topic :: Software Development\n"


class Installation:
    """A virtual environment with Hephaestus, its first-party plugins and all that these depend on.

    Args:
        folder: where to make it.
        wheels: further distributions to install.

    Attributes:
        scripts: its folder of console scripts.
        site: its folder of packages.
    """

    def __init__(self, folder: Path, wheels: list[Path]) -> None:
        venv.create(folder, with_pip=False, symlinks=True)
        self.scripts = folder / "bin"
        self.site = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
        for each in _dependencies():
            self._copy(each)
        self._install(wheels)
        self.compile()

    def _copy(self, installed: Distribution) -> None:
        for file in installed.files or ():
            if not file.parts[0].startswith(".."):
                target = self.site / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(str(installed.locate_file(file)), target)

    def _install(self, wheels: list[Path]) -> None:
        pip = [sys.executable, "-m", "pip", "--python", str(self.scripts / "python"), "-qq"]
        offline = ["--no-index", "--no-deps", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", *offline, *map(str, wheels)], check=True)

    def compile(self) -> None:
        """Cache the bytecode of all that is there."""
        compileall.compile_dir(self.site, quiet=2, workers=0)

    def distributions(self) -> int:
        """How many distributions there are."""
        return len(list(self.site.glob("*.dist-info")))

    def add(self, name: str, entry_points: str = "", **modules: str) -> None:
        """Add a distribution of one package, both called `name`, as an installer lays them out.

        Args:
            name: of the distribution and its package.
            entry_points: the text of its `entry_points.txt`, if it has any.
            **modules: the source of each module by its name.
        """
        package, metadata = self.site / name, self.site / f"{name}-1.2.dist-info"
        files = {
            package / "__init__.py": f'"""{name}."""\n',
            **{package / f"{module}.py": source.lstrip() for module, source in modules.items()},
            metadata / "METADATA": f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.2\n" + _CLASSIFIER * 60,
            metadata / "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            metadata / "INSTALLER": "pip\n",
        }
        if entry_points:
            files[metadata / "entry_points.txt"] = entry_points
        package.mkdir()
        metadata.mkdir()
        for file, text in files.items():
            file.write_text(text)
        (metadata / "RECORD").write_text("".join(f"{file.relative_to(self.site)},,\n" for file in files))

    def fill(self, count: int) -> None:
        """Add distributions that are no plugins until there are `count`, every third with a console script."""
        for number in range(count - self.distributions()):
            name = f"filler_{number}"
            self.add(name, "" if number % 3 else f"[console_scripts]\n{name} = {name}:main\n")


def build_wheel(project: Path, out: Path) -> Path:
    """Build a project of this environment's build backend; returns the wheel."""
    folder = out / project.name
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=project, check=True, capture_output=True)
    (wheel,) = folder.iterdir()
    return wheel


def _dependencies() -> Iterator[Distribution]:
    """What the distributions of this repository need, directly or not, as far as it is installed here."""
    own = {canonicalize_name(name) for name in ("hephaestus-toolkit", *(path.name for path in DISTRIBUTIONS))}
    wanted, seen = sorted(own), set(own)
    while wanted:
        try:
            found = distribution(wanted.pop())
        except PackageNotFoundError:
            continue
        if canonicalize_name(found.metadata["Name"]) not in own:
            yield found
        for line in found.requires or ():
            requirement = Requirement(line)
            name = canonicalize_name(requirement.name)
            if name not in seen and (requirement.marker is None or requirement.marker.evaluate({"extra": ""})):
                seen.add(name)
                wanted.append(name)
