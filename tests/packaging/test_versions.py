"""The version is written once, and the code is for every Python that is declared."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import grader
from tests.conftest import ROOT

LOWEST = (3, 10)
FOLDERS = ("grader", "latexgrad", "reference", "submissions_template", "examples", "benchmarks")
# Reads the names of files from standard input and says which of them are no programs.
COMPILE = """
import sys, warnings

warnings.simplefilter("error")
for name in sys.stdin.read().splitlines():
    with open(name, "rb") as file:
        source = file.read()
    try:
        compile(source, name, "exec", dont_inherit=True)
    except Exception as error:
        print(f"{name}: {error}")
"""


def interpreters():
    """Return the interpreters of this machine by version: on the path, and below pyenv's folder."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found = {}
    for minor in range(LOWEST[1], LOWEST[1] + 10):
        name = f"python3.{minor}"
        program = shutil.which(name)
        named = [Path(program)] if program else []
        for path in [*sorted(pyenv.glob(f"versions/*/bin/{name}")), *named]:
            asked = "import sys; print(*sys.version_info[:2])"
            ran = subprocess.run([path, "-c", asked], check=False, capture_output=True, text=True)
            if ran.stdout.split() == ["3", str(minor)]:  # a shim of pyenv may lead nowhere
                found[3, minor] = path
                break
    return {version: found[version] for version in found if version != sys.version_info[:2]}


def sources():
    """Return the modules of the engine and the assignments; students write for other Pythons."""
    return [
        str(path)
        for folder in FOLDERS
        for path in sorted((ROOT / folder).rglob("*.py"))
        if "submissions" not in path.relative_to(ROOT).parts
    ]


def compiled(program, files):
    ran = subprocess.run(
        [program, "-I", "-c", COMPILE], input="\n".join(files),
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return ran.stdout


OTHERS = interpreters()


@pytest.mark.skipif(not OTHERS, reason="there is no other Python of 3.10 or newer here")
@pytest.mark.parametrize("version", OTHERS or [None], ids=str)
def test_every_module_compiles_under_each_python_that_is_here(version):
    files = sources()
    assert len(files) > 200
    assert compiled(OTHERS[version], files) == ""


def test_every_module_compiles_under_this_python():
    assert compiled(sys.executable, sources()) == ""


def test_a_module_that_does_not_compile_is_named(tmp_path):
    (tmp_path / "new.py").write_text("match = print('x' if 1 else)\n")
    (tmp_path / "odd.py").write_text("x = 1 is 1\n")
    said = compiled(sys.executable, [str(tmp_path / "new.py"), str(tmp_path / "odd.py")])
    assert [line.partition(": ")[0] for line in said.splitlines()] == [
        str(tmp_path / "new.py"), str(tmp_path / "odd.py"),
    ]  # fmt: skip


def test_the_lowest_python_is_the_same_wherever_it_is_named():
    lowest = ".".join(map(str, LOWEST))
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert f'requires-python = ">={lowest}"' in project
    assert f'target-version = "py{lowest.replace(".", "")}"' in project
    assert f"vermin --target={lowest}- " in makefile
    assert f"sys.version_info < {LOWEST}" in makefile


def test_newer_parts_of_the_standard_library_are_found(tmp_path):
    """What ``make lint`` runs: compiling under an old Python does not find imports."""
    (tmp_path / "new.py").write_text("import tomllib\n")
    program = Path(sys.executable).with_name("vermin")
    words = [program, "--target=3.10-", "--violations", str(tmp_path)]
    ran = subprocess.run(words, check=False, capture_output=True, text=True)
    assert ran.returncode == 1
    assert "'tomllib' module requires !2, 3.11" in ran.stdout


def test_the_version_is_written_in_one_place():
    files = [ROOT / name for name in ("pyproject.toml", "Makefile", "Dockerfile")]
    files += [path for folder in FOLDERS[:2] for path in (ROOT / folder).rglob("*.py")]
    pattern = re.compile(rf"version[\W_]{{1,8}}{re.escape(grader.__version__)}\b")
    written = [path for path in files if pattern.search(path.read_text(encoding="utf-8"))]
    assert written == [ROOT / "grader" / "__init__.py"]
