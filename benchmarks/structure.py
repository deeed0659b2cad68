"""Can a newcomer find the way? Count the rooms of the engine, and what makes the way hard to see.

::

    python benchmarks/structure.py [FOLDER or COMMIT]...

For each version of the code (default: this folder) it prints

* rooms: what lies directly in ``grader/``, a package or a module; ``latexgrad`` is one room;
* arrows: pairs of rooms of which one imports from the other;
* circles: groups of rooms each of which imports, perhaps through others, from every other one;
* names: public classes, and the names that more than one of them has;
* modules, and those of more than 400 lines.

The exit status is 1 if there is a circle, a name of two classes, or a long module in any version.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import grimp
from same_grades import CompareError, resolved, worktree

PACKAGES = ("grader", "latexgrad")
FLAT = "latexgrad"  # one room, whatever is in it
MAX_LINES = 400


@dataclass(frozen=True)
class Structure:
    """What was counted in one version; ``arrows`` point from a room to one that it imports."""

    rooms: frozenset[str]
    arrows: frozenset[tuple[str, str]]
    circles: tuple[tuple[str, ...], ...]
    classes: int
    shared_names: dict[str, list[str]]
    modules: int
    long_modules: dict[str, int]

    @property
    def sound(self) -> bool:
        """Whether there is no circle, no name of two classes, and no long module."""
        return not (self.circles or self.shared_names or self.long_modules)

    def lines(self) -> Iterator[str]:
        """Yield what is printed."""
        yield f"rooms         {len(self.rooms)}"
        yield f"arrows        {len(self.arrows)}"
        yield f"circles       {len(self.circles)}"
        yield from (f"  {', '.join(circle)}" for circle in self.circles)
        yield f"classes       {self.classes}"
        yield f"shared names  {len(self.shared_names)}"
        yield from (f"  {name}: {', '.join(at)}" for name, at in self.shared_names.items())
        yield f"modules       {self.modules}"
        yield f"long modules  {len(self.long_modules)}"
        yield from (f"  {name}: {count} lines" for name, count in self.long_modules.items())


def main() -> None:
    """Print the structure of each version."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("versions", nargs="*", default=["."], help="a folder, or a git commit")
    sound = True
    for version in parser.parse_args().versions:
        try:
            with checked_out(version) as folder:
                found = structure(folder)
        except CompareError as error:
            print(f"error: {error}", file=sys.stderr)
            sys.exit(2)
        print(version, *found.lines(), sep="\n")
        sound &= found.sound
    sys.exit(0 if sound else 1)


@contextlib.contextmanager
def checked_out(version: str) -> Iterator[Path]:
    """Return the folder that holds a version's packages."""
    if not Path(version).is_dir():
        with worktree(resolved(version)) as folder:
            yield folder
    elif (Path(version) / PACKAGES[0]).is_dir():
        yield Path(version).resolve()
    else:
        raise CompareError(f"{version}: holds no package {PACKAGES[0]}")


def structure(folder: Path) -> Structure:
    """Count rooms, arrows, circles, names and long modules of the packages in a folder."""
    packages = [name for name in PACKAGES if (folder / name).is_dir()]
    imports = imports_of(folder, packages)
    arrows = {
        (room(importer), room(imported))
        for importer, imported in imports
        if room(importer) != room(imported)
    }
    files = sorted(
        file
        for name in packages
        for file in (folder / name).rglob("*.py")
        if (file.parent / "__init__.py").is_file()  # what `grader new` copies is data
    )
    rooms = {room(module_name(file.relative_to(folder))) for file in files} - set(PACKAGES)
    rooms |= {FLAT} & set(packages)
    arrows = {(one, other) for one, other in arrows if {one, other} <= rooms}
    names = classes_of(folder, files)
    counts = {file.relative_to(folder).as_posix(): lines_of(file) for file in files}
    return Structure(
        rooms=frozenset(rooms),
        arrows=frozenset(arrows),
        circles=tuple(circles(arrows)),
        classes=len(names),
        shared_names={name: found for name, found in sorted(names.items()) if len(found) > 1},
        modules=len(files),
        long_modules={name: count for name, count in counts.items() if count > MAX_LINES},
    )


def imports_of(folder: Path, packages: Sequence[str]) -> list[tuple[str, str]]:
    """Return each import between modules of the packages, as importer and imported."""
    sys.path.insert(0, str(folder))
    try:
        graph = grimp.build_graph(*packages, cache_dir=None)
    finally:
        sys.path.remove(str(folder))
    return [
        (importer, imported)
        for importer in graph.modules
        for imported in graph.find_modules_directly_imported_by(importer)
    ]


def module_name(path: Path) -> str:
    """Return the dotted name of the module in a file, given relative to the packages' folder."""
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room(module: str) -> str:
    """Return the room of a module: ``grader.checks`` of ``grader.checks.forward``."""
    package, *inner = module.split(".")
    return package if package == FLAT or not inner else f"{package}.{inner[0]}"


def circles(arrows: Collection[tuple[str, str]]) -> Iterator[tuple[str, ...]]:
    """Yield the groups of rooms that reach each other along the arrows."""
    rooms = sorted({room for arrow in arrows for room in arrow})
    reached = {start: _reached(start, arrows) for start in rooms}
    seen: set[str] = set()
    for one in rooms:
        group = [other for other in rooms if other in reached[one] and one in reached[other]]
        if group and one not in seen:
            seen.update(group)
            yield tuple(group)


def _reached(start: str, arrows: Collection[tuple[str, str]]) -> set[str]:
    """Return the rooms at the end of any way of at least one arrow."""
    found: set[str] = set()
    new = {start}
    while new:
        new = {imported for importer, imported in arrows if importer in new} - found
        found |= new
    return found


def classes_of(folder: Path, files: Sequence[Path]) -> dict[str, list[str]]:
    """Return the files that define each public class, by the name of the class."""
    found: dict[str, list[str]] = {}
    for file in files:
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found.setdefault(node.name, []).append(file.relative_to(folder).as_posix())
    return found


def lines_of(file: Path) -> int:
    """Count the lines of a file."""
    return len(file.read_text(encoding="utf-8").splitlines())


if __name__ == "__main__":
    main()
