"""Names of submissions: of archives, and of the folders for their reports."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from pathlib import PurePath

ARCHIVES = (".zip", ".tar.gz", ".tgz", ".tar", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
FOREIGN = (".rar", ".7z", ".zipx", ".tar.zst", ".sit", ".sitx", ".cab")  # not unpacked
# Files next to the report folders, and in them: no folder is called like one.
RESERVED_IDS = (
    *("gradebook.csv", "index.html", "report.json", "results.json", "report.html", "pytest.json"),
)
CLUTTER = frozenset(["__pycache__", "__MACOSX", ".git", ".DS_Store", ".ipynb_checkpoints", ".idea"])
# Folders of installed packages, by the names that pip, conda and npm give them.
INSTALLED = frozenset(["site-packages", "dist-packages", "conda-meta", "node_modules"])
ENVIRONMENTS = frozenset([".venv", "venv", ".env"])
OF_ENVIRONMENT = frozenset(["lib", "lib64", "bin", "include", "scripts", "share", "etc"])
ENVIRONMENT_MARK = "pyvenv.cfg"
# What grader replay writes beside a copy of the work: inputs, values, and a script.
REPLAYED = ("inputs.npz", "values.npz", "replay.py")


def installed_in(parts: Sequence[str]) -> str | None:
    """Return the folder of installed packages that a path leads into; None if there is none.

    Work that somebody keeps in the folder of an environment does not belong to it.
    """
    above = ""
    for index, part in enumerate(map(str.lower, parts)):
        if part in INSTALLED or (part in OF_ENVIRONMENT and above in ENVIRONMENTS):
            return "/".join(parts[: index + 1])
        above = part
    return None


def is_archive(name: str) -> bool:
    """Say whether a file is named like an archive."""
    return name.lower().endswith(ARCHIVES)


def is_packed(name: str) -> bool:
    """Say whether a file is named like any archive, even one that is not unpacked."""
    return name.lower().endswith((*ARCHIVES, *FOREIGN))


def stem(path: PurePath) -> str:
    """Return a submission's name without its archive suffix."""
    for suffix in (*ARCHIVES, *FOREIGN):
        if path.name.lower().endswith(suffix):
            return path.name[: -len(suffix)]
    return path.name


def safe_id(name: str) -> str:
    """Return ``name`` as a folder name: nothing that a shell, a browser or a path misreads."""
    composed = unicodedata.normalize("NFC", name)  # a Mac writes ë as e and two dots
    cleaned = re.sub(r"[^\w.@+-]+", "_", composed).strip("._")
    return cleaned[:100] or "submission"


def letters(text: str) -> str:
    """Return the letters and digits of a name, without accents and case."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(char for char in plain if char.isalnum())
