"""Which folders cleanup never takes as a root: the system's, the homes, and what holds any of these."""

from __future__ import annotations

import os
from collections.abc import Iterator

__all__ = ["danger_of"]

# Refused with everything beneath them.
_SYSTEM = (
    *("/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/libx32", "/proc", "/run", "/sbin", "/sys", "/usr"),
    *("/System", "/Library", "/Applications", "/private/etc", "/private/var/db", "/cores", "/snap", "/lost+found"),
    *("/var/lib/dpkg", "/var/lib/apt", "/var/lib/rpm", "/var/lib/docker", "/var/lib/containerd", "/var/log"),
)
# Where people do keep work although it lies beneath one of those.
_WORK_WITHIN = ("/usr/src", "/usr/local/src", "/dev/shm", "/run/user")
# Refused themselves, and what lies directly under them.
_SHARED = ("/opt", "/srv", "/mnt", "/media", "/var", "/Users", "/home", "/Volumes", "/private", "/private/var")
# Refused themselves; anybody may have a workspace directly under them.
_SCRATCH = ("/tmp", "/var/tmp", "/private/tmp", "/private/var/tmp", *_WORK_WITHIN)
# Directly under a home: settings, keys and other people's programs, not workspaces.
_PERSONAL = (".ssh", ".gnupg", ".config", ".local", ".aws", ".kube", ".docker", ".mozilla", "Library")


def danger_of(path: str) -> str | None:
    """Say why a folder must not be swept.

    Args:
        path: absolute, with no link, `.` or `..` in it.

    Returns:
        The reason, fit to follow "refused: "; None when the folder may be swept.
    """
    if path == "/":
        return "it is the root of the file system"
    homes = set(_homes())
    if path in homes or os.path.dirname(path) in ("/home", "/Users"):
        return "it is a home folder"
    for home in homes:
        if _beneath(home, path):
            return f"it holds the home folder {home}"
        if os.path.dirname(path) == home and os.path.basename(path) in _PERSONAL:
            return "it holds personal settings"
    return _system_danger(path) or _repository_danger(path)


def _system_danger(path: str) -> str | None:
    if path in _SCRATCH:
        return "it is a system folder"
    if any(_beneath(path, place) for place in (*_SCRATCH, *_homes())):
        return None
    for folder in _SYSTEM:
        if path == folder or _beneath(path, folder):
            return f"it belongs to the system folder {folder}"
        if _beneath(folder, path):
            return f"it holds the system folder {folder}"
    for folder in _SHARED:
        if path == folder or os.path.dirname(path) == folder:
            return "it is a system folder" if path == folder else f"it lies directly under the system folder {folder}"
    return None


def _repository_danger(path: str) -> str | None:
    if any(part.casefold() == ".git" for part in path.split("/")):
        return "it lies inside a .git folder"
    folder = path
    while folder != "/":
        if all(os.path.lexists(os.path.join(folder, name)) for name in ("HEAD", "objects", "refs")):
            return "it is a bare git repository" if folder == path else f"it lies in the bare git repository {folder}"
        folder = os.path.dirname(folder)
    return None


def _homes() -> Iterator[str]:
    yield from _existing(os.path.expanduser("~"), os.environ.get("HOME"))
    try:
        import pwd
    except ImportError:
        return
    for entry in pwd.getpwall():
        # Daemons have "/", "/bin" or "/nonexistent" for a home; the first would make every folder a home's descendant.
        yield from _existing(entry.pw_dir)


def _existing(*paths: str | None) -> Iterator[str]:
    for path in paths:
        if path and os.path.isabs(path):
            real = os.path.realpath(path)
            if real != "/" and not any(real == folder or _beneath(real, folder) for folder in _SYSTEM):
                yield real


def _beneath(path: str, folder: str) -> bool:
    return path.startswith(folder + "/")
