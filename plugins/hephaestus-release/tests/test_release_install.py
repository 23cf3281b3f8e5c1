"""Installing: from the folder alone, with every hash pinned, into the environment that was meant."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from hephaestus.errors import UsageError
from hephaestus.testing import capture_events
from hephaestus_release._install import install_wheels
from hephaestus_release._target import clean_environment, find_target
from hephaestus_release._wheels import Wheel, check_wheel
from hephaestus_release.errors import InstallError
from hephaestus_release.testing.wheels import build_wheel

pytestmark = pytest.mark.slow
INSTALLERS = ["pip", "uv"]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template") / "venv"
    venv.create(folder, with_pip=True, symlinks=True)
    return folder


@pytest.fixture
def python(template: Path, tmp_path: Path) -> Path:
    """The interpreter of a fresh environment that holds nothing but pip, which is linked from the template."""
    folder = tmp_path / "env"
    venv.create(folder, with_pip=False, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    for part in template.glob("lib/python*/site-packages/pip*"):
        (packages / part.name).symlink_to(part)
    return folder / "bin" / "python"


def says(python: Path, statement: str) -> str:
    return subprocess.run([python, "-I", "-c", statement], capture_output=True, text=True, check=True).stdout.strip()


def put(python: Path, wheels: list[Path], installer: str = "pip", upgrade: bool = True) -> tuple[str, ...]:
    target = find_target(str(python))
    checked = [check_wheel(wheel) for wheel in wheels]
    return install_wheels(checked, wheels[0].parent, target, installer=installer, upgrade=upgrade).installed


@pytest.mark.parametrize("installer", INSTALLERS)
def test_wheels_are_installed_from_several_folders(python: Path, tmp_path: Path, installer: str) -> None:
    (tmp_path / "with space").mkdir()
    wheels = [build_wheel(tmp_path, "alpha"), build_wheel(tmp_path / "with space", "beta", requires=["alpha"])]
    assert put(python, wheels, installer) == ("alpha==1.0", "beta==1.0")
    assert says(python, "import alpha, beta; print(alpha.VERSION + beta.VERSION)") == "1.01.0"


@pytest.mark.parametrize("installer", INSTALLERS)
def test_the_build_that_fits_is_chosen(python: Path, tmp_path: Path, installer: str) -> None:
    tags = ["cp27-cp27m-win32", f"cp{sys.version_info.major}{sys.version_info.minor}-none-any", "cp39-cp39-win_amd64"]
    wheels = [
        build_wheel(tmp_path, "alpha", tag=tag, files={"alpha.py": tag.encode().join([b"T='", b"'"])}) for tag in tags
    ]
    put(python, wheels, installer)
    assert says(python, "import alpha; print(alpha.T)") == tags[1]


@pytest.mark.parametrize("installer", INSTALLERS)
def test_a_wheel_swapped_after_its_check_is_refused(python: Path, tmp_path: Path, installer: str) -> None:
    wheel = check_wheel(build_wheel(tmp_path, "alpha"))
    build_wheel(tmp_path, "alpha", files={"alpha/__init__.py": b"VERSION = 'evil'"})
    with pytest.raises(InstallError, match=f"{installer} failed") as caught:
        install_wheels([wheel], tmp_path, find_target(str(python)), installer=installer, upgrade=True)
    assert "\n" not in str(caught.value)
    assert "HASH" in str(caught.value).upper()


@pytest.mark.parametrize("installer", INSTALLERS)
def test_no_wheel_for_this_python_is_one_clear_line(python: Path, tmp_path: Path, installer: str) -> None:
    with pytest.raises(InstallError, match=f"{installer} failed") as caught:
        put(python, [build_wheel(tmp_path, "alpha", tag="cp27-cp27m-win32")], installer)
    assert "\n" not in str(caught.value)
    assert "wheelhouse" in (caught.value.hint or "")


@pytest.mark.parametrize("installer", INSTALLERS)
def test_a_missing_dependency_is_never_fetched_and_is_told(python: Path, tmp_path: Path, installer: str) -> None:
    with pytest.raises(InstallError, match=r"the dependencies do not fit: .*(attrs|packaging)"):
        put(python, [build_wheel(tmp_path, "beta", requires=["attrs>=20"])], installer)


def test_a_version_that_does_not_fit_is_refused_before_anything_changes(python: Path, tmp_path: Path) -> None:
    put(python, [build_wheel(tmp_path, "alpha"), build_wheel(tmp_path, "beta", requires=["alpha<2"])])
    with pytest.raises(InstallError, match=r"beta 1\.0 requires alpha<2, but there would be 3\.0"):
        put(python, [build_wheel(tmp_path, "alpha", "3.0")])
    assert says(python, "import alpha; print(alpha.VERSION)") == "1.0"


def test_troubles_that_were_there_before_are_not_held_against_the_release(python: Path, tmp_path: Path) -> None:
    broken = build_wheel(tmp_path, "gamma", requires=["absent-one"])
    subprocess.run([python, "-I", "-m", "pip", "install", "-q", "--no-index", "--no-deps", broken], check=True)
    assert put(python, [build_wheel(tmp_path, "alpha")]) == ("alpha==1.0",)


@pytest.mark.parametrize("installer", INSTALLERS)
def test_the_same_version_with_other_content_is_replaced(python: Path, tmp_path: Path, installer: str) -> None:
    put(python, [build_wheel(tmp_path, "alpha", files={"alpha.py": b"X = 1"})], installer)
    put(python, [build_wheel(tmp_path, "alpha", files={"alpha.py": b"X = 2"})], installer)
    assert says(python, "import alpha; print(alpha.X)") == "2"


def test_without_upgrade_what_is_installed_stays(python: Path, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    put(python, [build_wheel(tmp_path, "alpha", "1.0")])
    wheels = [build_wheel(tmp_path / "new", "alpha", "2.0"), build_wheel(tmp_path / "new", "beta")]
    assert put(python, wheels, upgrade=False) == ("beta==1.0",)
    assert says(python, "import alpha; print(alpha.VERSION)") == "1.0"
    with capture_events() as events:
        assert put(python, wheels, upgrade=False) == ()
    assert events.names == ["release.install.start", "release.install.complete"]


def test_files_of_the_working_directory_and_the_environment_decide_nothing(
    python: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = tmp_path / "work"
    (work / "pip").mkdir(parents=True)
    (work / "pip" / "__main__.py").write_text("raise SystemExit('code of the working directory ran')")
    (work / "sitecustomize.py").write_text("raise SystemExit('code of the working directory ran')")
    (work / "pip.conf").write_text("[global]\nno-deps = banana\nindex-url = https://evil.invalid/\n")
    monkeypatch.chdir(work)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(work / "pip.conf"))
    monkeypatch.setenv("PIP_TARGET", str(work / "elsewhere"))
    monkeypatch.setenv("PYTHONPATH", str(work))
    assert put(python, [build_wheel(tmp_path, "alpha")]) == ("alpha==1.0",)
    assert says(python, "import alpha; print(alpha.VERSION)") == "1.0"
    assert sorted(path.name for path in work.iterdir()) == ["pip", "pip.conf", "sitecustomize.py"]


def test_the_installer_never_sees_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_TOKEN", "GH_TOKEN", "UV_INDEX_URL", "PIP_INDEX_URL", "PYTHONPATH"):
        monkeypatch.setenv(name, "secret")
    assert "secret" not in clean_environment().values()


def test_uv_that_is_not_there_is_told(python: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:relative:")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(InstallError, match="uv is not installed"):
        put(python, [build_wheel(tmp_path, "alpha")], "uv")


def test_an_environment_without_pip_is_told(tmp_path: Path) -> None:
    venv.create(tmp_path / "bare", with_pip=False, symlinks=True)
    with pytest.raises(InstallError, match="has no pip") as caught:
        put(tmp_path / "bare" / "bin" / "python", [build_wheel(tmp_path, "alpha")])
    assert "ensurepip" in (caught.value.hint or "")
    put(tmp_path / "bare" / "bin" / "python", [build_wheel(tmp_path, "alpha")], "uv")


def test_without_an_active_environment_none_is_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    with pytest.raises(UsageError, match="no environment to install into") as caught:
        find_target(None)
    assert "--python" in (caught.value.hint or "")


def test_the_active_environment_is_taken(template: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIRTUAL_ENV", str(template))
    assert find_target(None).prefix == template
    assert find_target(str(template)).python == template / "bin" / "python"


@pytest.mark.parametrize("python", ["/nonexistent/python", "no-such-command-here", "/etc/passwd", "."])
def test_what_is_no_python_is_a_usage_error(python: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"no Python there|not a Python that runs"):
        find_target(python)


def test_an_environment_that_the_system_manages_is_refused(tmp_path: Path) -> None:
    fake = tmp_path / "python"
    answer = {"managed": True, "has_pip": True, "prefix": "/usr", "installed": [], "environment": {}}
    fake.write_text(f"#!/bin/sh\necho '{json.dumps(answer)}'\n")
    fake.chmod(0o755)
    with pytest.raises(UsageError, match="managed by the system"):
        find_target(str(fake))


def test_nothing_to_install_needs_no_installer(template: Path, tmp_path: Path) -> None:
    wheels: list[Wheel] = []
    target = find_target(str(template))
    assert install_wheels(wheels, tmp_path, target, installer="pip", upgrade=True).command == ()
