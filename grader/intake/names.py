"""Names of submissions: of archives, and of the folders for their reports."""

from __future__ import annotations

import re
from pathlib import Path

ARCHIVES = (".zip", ".tar.gz", ".tgz", ".tar")
RESERVED_IDS = ("gradebook.csv", "index.html")  # files beside the report folders
CLUTTER = frozenset(["__pycache__", "__MACOSX", ".git", ".DS_Store", ".ipynb_checkpoints", ".idea"])


def is_archive(name: str) -> bool:
    """Say whether a file is called like an archive."""
    return name.lower().endswith(ARCHIVES)


def stem(path: Path) -> str:
    """Return a submission's name without its archive suffix."""
    for suffix in ARCHIVES:
        if path.name.lower().endswith(suffix):
            return path.name[: -len(suffix)]
    return path.name


def safe_id(name: str) -> str:
    """Return ``name`` as a folder name: nothing that a shell, a browser or a path misreads."""
    cleaned = re.sub(r"[^\w.@+-]+", "_", name).strip("._")
    return cleaned[:100] or "submission"
