"""A wheel of the installed engine, made without network, compiler or build backend.

Source: the binary distribution format of the Python packaging specifications (PEP 427).
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
import sys
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import grader
import latexgrad
from grader.errors import BrokenError

DISTRIBUTION = "dl-grader"
TAG = "py3-none-any"
# The same files give the same bytes, whenever and wherever the wheel is made.
EPOCH = (1980, 1, 1, 0, 0, 0)
LEFT_OUT = frozenset(["__pycache__"])
# What ``grader check`` needs in a student's bundle. Not torch, of which some machines have no wheel
# and courses have versions of their own: questions that need it say so.
AT_HOME = frozenset(["numpy", "pyyaml", "click", "rich", "pydantic", "lark", "autograd"])
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def name() -> str:
    """Return the file name of the wheel."""
    return f"{DISTRIBUTION.replace('-', '_')}-{grader.__version__}-{TAG}.whl"


def build(*, at_home: bool = False) -> bytes:
    """Return the wheel.

    Args:
        at_home: require only what ``grader check`` needs on a student's machine, and be no plugin
            of the student's own pytest.

    Raises:
        BrokenError: the engine was not installed by pip, so that nobody knows what it needs.
    """
    try:
        installed = metadata.distribution(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        raise BrokenError(f"{DISTRIBUTION} is not installed here: pip install it first") from None
    information = f"{DISTRIBUTION.replace('-', '_')}-{grader.__version__}.dist-info"
    members = dict(_sources())
    members[f"{information}/METADATA"] = _described(installed, at_home=at_home).encode()
    members[f"{information}/WHEEL"] = (
        f"Wheel-Version: 1.0\nGenerator: {DISTRIBUTION}\nRoot-Is-Purelib: true\nTag: {TAG}\n"
    ).encode()
    members[f"{information}/entry_points.txt"] = _entry_points(installed, at_home=at_home).encode()
    record = f"{information}/RECORD"
    lines = [f"{path},{_hash(data)},{len(data)}" for path, data in members.items()]
    members[record] = "".join(f"{line}\n" for line in [*lines, f"{record},,"]).encode()
    return archive(members)


def archive(members: dict[str, bytes], executable: frozenset[str] = frozenset()) -> bytes:
    """Return a zip file with these members; some may be executable."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for path, data in members.items():
            entry = zipfile.ZipInfo(path, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix: the attributes are modes
            entry.external_attr = (0o100755 if path in executable else 0o100644) << 16
            file.writestr(entry, data)
    return buffer.getvalue()


def _sources() -> Iterator[tuple[str, bytes]]:
    for package in (grader, latexgrad):
        root = Path(package.__path__[0]).resolve()
        for path in sorted(root.rglob("*")):
            relative = path.relative_to(root.parent)
            if path.is_file() and not LEFT_OUT & set(relative.parts):
                yield relative.as_posix(), path.read_bytes()


def _described(installed: metadata.Distribution, *, at_home: bool) -> str:
    """Return the metadata without the long description, which needs the README."""
    wanted = ("Name", "Version", "Summary", "License-Expression", "Requires-Python")
    found = installed.metadata
    lines = ["Metadata-Version: 2.4"]
    lines += [f"{key}: {found[key]}" for key in wanted if found[key] is not None]
    needs = [need for need in _requirements(installed) if not at_home or _package(need) in AT_HOME]
    lines += [f"Requires-Dist: {need}" for need in needs]
    return "".join(f"{line}\n" for line in lines)


def _requirements(installed: metadata.Distribution) -> list[str]:
    """Return what the engine needs; an editable install may be older than its project file."""
    project = Path(grader.__file__).resolve().parent.parent / "pyproject.toml"
    if sys.version_info >= (3, 11) and project.is_file():
        import tomllib

        table = tomllib.loads(project.read_text(encoding="utf-8")).get("project", {})
        if table.get("name") == DISTRIBUTION:
            return [str(need) for need in table["dependencies"]]
    return [need for need in installed.requires or [] if "extra ==" not in need]


def _package(need: str) -> str:
    """Return the name of the package that a requirement names."""
    found = NAME.match(need)
    return found[0].lower() if found else ""


def _entry_points(installed: metadata.Distribution, *, at_home: bool) -> str:
    groups: dict[str, list[str]] = {}
    for point in installed.entry_points:
        if at_home and point.group != "console_scripts":
            continue
        groups.setdefault(point.group, []).append(f"{point.name} = {point.value}")
    return "\n".join(f"[{group}]\n" + "\n".join(rows) + "\n" for group, rows in groups.items())


def _hash(data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"sha256={digest}"
