"""A wheel of the installed engine, made without network, compiler or build backend.

It holds what ``pip wheel`` makes of the repository: the files of the packages, and the metadata
that pip wrote when it installed the engine.

Source: the binary distribution format of the Python packaging specifications (PEP 427).
"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import io
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import grader
from grader.errors import BrokenError
from grader.extras import DISTRIBUTION

STEM = f"{DISTRIBUTION.replace('-', '_')}-{grader.__version__}"
INFORMATION = f"{STEM}.dist-info"
TAG = "py3-none-any"
# The same files give the same bytes, whenever and wherever the wheel is made.
EPOCH = (1980, 1, 1, 0, 0, 0)
PACKAGES = ("grader", "latexgrad")
LEFT_OUT = frozenset(["__pycache__"])
# The metadata that says what was installed; the rest says how and where.
METADATA = ("METADATA", "entry_points.txt", "top_level.txt")
LICENSES = "licenses"


def name() -> str:
    """Return the file name of the wheel."""
    return f"{STEM}-{TAG}.whl"


def build() -> bytes:
    """Return the wheel.

    Raises:
        BrokenError: the engine was not installed by pip, or in another version, so that nobody
            knows what it needs.
    """
    members = {**dict(_sources()), **_information()}
    members[f"{INFORMATION}/WHEEL"] = (
        f"Wheel-Version: 1.0\nGenerator: {DISTRIBUTION}\nRoot-Is-Purelib: true\nTag: {TAG}\n"
    ).encode()
    record = f"{INFORMATION}/RECORD"
    lines = [f"{path},{_hash(data)},{len(data)}" for path, data in members.items()]
    members[record] = "".join(f"{line}\n" for line in [*lines, f"{record},,"]).encode()
    return archive(members)


def archive(
    members: dict[str, bytes],
    executable: frozenset[str] = frozenset(),
    closed: frozenset[str] = frozenset(),
) -> bytes:
    """Return a zip file with these members; some may be executable, or for their owner only."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for path, data in members.items():
            entry = zipfile.ZipInfo(path, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix: the attributes are modes
            mode = 0o100755 if path in executable else 0o100600 if path in closed else 0o100644
            entry.external_attr = mode << 16
            file.writestr(entry, data)
    return buffer.getvalue()


def _sources() -> Iterator[tuple[str, bytes]]:
    for package in PACKAGES:
        # Found, not imported: the derivation reader brings a library for gradients along.
        spec = importlib.util.find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            raise BrokenError(f"the package {package} is not installed next to grader")
        root = Path(spec.submodule_search_locations[0]).resolve()
        for path in sorted(root.rglob("*")):
            relative = path.relative_to(root.parent)
            if path.is_file() and not LEFT_OUT & set(relative.parts):
                yield relative.as_posix(), path.read_bytes()


def _information() -> dict[str, bytes]:
    """Return the metadata of the installed engine by their paths in the wheel."""
    # Beside a repository lies the metadata of its last build, too, which is not of an installation.
    found = [one for one in metadata.distributions(name=DISTRIBUTION) if one.read_text("WHEEL")]
    if not found:
        raise BrokenError(f"{DISTRIBUTION} is not installed here: pip install it first")
    installed = found[0]
    if installed.version != grader.__version__:
        raise BrokenError(
            f"{DISTRIBUTION} {installed.version} is installed, but its files are of version "
            f"{grader.__version__}: pip install it again"
        )
    members = {}
    for file in sorted(installed.files or ()):
        folder, *inner = file.parts
        if folder.endswith(".dist-info") and (inner[0] in METADATA or inner[0] == LICENSES):
            members["/".join([INFORMATION, *inner])] = file.read_binary()
    return members


def _hash(data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"sha256={digest}"
