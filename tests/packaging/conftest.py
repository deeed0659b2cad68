"""Wheels of the engine, and clean environments outside the repository to try them in."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from grader.frontends import wheel
from tests.conftest import ROOT, Ran

SOURCES = ("pyproject.toml", "README.md", "LICENSE")
PACKAGES = ("grader", "latexgrad")
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")
# What pip says where it reaches no index to get the build backend from.
OUT_OF_REACH = ("No matching distribution found for setuptools", "Could not find a version that")
INSTALLED = Path(sysconfig.get_path("purelib"))


@dataclass(frozen=True)
class Environment:
    """A virtual environment that holds the wheel; the repository is nowhere on its path."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def site(self) -> Path:
        (found,) = self.folder.glob("lib/python3*/site-packages")
        return found

    def run(self, *words: object, cwd: Path, timeout_s: float = 300) -> Ran:
        """Run a command of the environment, such as ``grader``, in a folder."""
        program, *rest = map(str, words)
        kept = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
        ran = subprocess.run(
            [self.folder / "bin" / program, *rest],
            cwd=cwd, env={**kept, "PATH": f"{self.folder}/bin:/usr/bin:/bin"}, check=False,
            capture_output=True, text=True, timeout=timeout_s, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        return Ran(ran.returncode, ran.stdout, ran.stderr)


def environment(folder: Path, packed: Path) -> Environment:
    """Make an environment that has the engine and nothing that it requires."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    made = Environment(folder)
    install = ["install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*PIP, "--python", made.python, *install, packed], check=True)
    return made


def requirements(*extras: str) -> set[str]:
    """Return the packages that the engine requires with these extras, and those that they need."""
    required = {"dl-grader": set(extras)}
    waiting = list(required)
    while waiting:
        name = waiting.pop()
        wanted = [{"extra": extra} for extra in ("", *required[name])]
        for need in map(Requirement, metadata.requires(name) or ()):
            used = need.marker is None or any(need.marker.evaluate(one) for one in wanted)
            known = canonicalize_name(need.name)
            if used and (known not in required or not need.extras <= required[known]):
                required[known] = required.get(known, set()) | need.extras
                waiting.append(known)
    return set(required) - {"dl-grader"}


def link(names: set[str], folder: Path) -> None:
    """Link the files of installed packages into a folder, as if only they were installed."""
    folder.mkdir()
    for name in names:
        for file in metadata.files(name) or ():
            top = file.parts[0]
            if top != ".." and not (folder / top).exists():
                (folder / top).symlink_to(INSTALLED / top)


@pytest.fixture(scope="session")
def built(tmp_path_factory) -> Path:
    """The wheel that the build backend makes of the repository's files."""
    folder = tmp_path_factory.mktemp("build")
    source, target = folder / "source", folder / "dist"
    clutter = shutil.ignore_patterns("__pycache__")
    for name in PACKAGES:
        shutil.copytree(ROOT / name, source / name, ignore=clutter)
    for name in SOURCES:
        shutil.copy(ROOT / name, source)
    words = [*PIP, "wheel", "--quiet", "--no-deps", "--wheel-dir", target, source]
    ran = subprocess.run(words, check=False, capture_output=True, text=True)
    if ran.returncode != 0 and any(words in ran.stderr for words in OUT_OF_REACH):
        pytest.skip("no package index is in reach, so there is no build backend")
    assert ran.returncode == 0, ran.stderr
    (made,) = target.iterdir()
    return made


@pytest.fixture(scope="session")
def packed(tmp_path_factory) -> Path:
    """The wheel that bundles hold."""
    file = tmp_path_factory.mktemp("packed") / wheel.name()
    file.write_bytes(wheel.build())
    return file


@pytest.fixture(scope="session")
def open_place() -> Iterator[Path]:
    """A folder that every user may enter, as workers must; pytest's own are closed."""
    with tempfile.TemporaryDirectory(prefix="clean-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="session")
def grading(open_place, built) -> Environment:
    """An environment with the wheel of the build backend and all that grading needs."""
    made = environment(open_place / "grading", built)
    # A folder that is named so is not searched for .pth files: the editable installation stays out.
    (made.site / "required.pth").write_text(f"{INSTALLED}\n")
    return made


@pytest.fixture(scope="session")
def plain(open_place, packed) -> Environment:
    """An environment as a student has it: the plain installation, and a pytest of their own."""
    made = environment(open_place / "plain", packed)
    required = open_place / "required"
    link(requirements() | {"pytest", "iniconfig", "pluggy", "packaging"}, required)
    (made.site / "required.pth").write_text(f"{required}\n")
    return made
