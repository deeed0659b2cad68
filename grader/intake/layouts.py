"""Whether folders are the submissions of a class, or the parts of one: told from the files' paths.

The same is asked of a folder on the disk and of the table of contents of an archive.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath

from grader.intake.downloads import METADATA, Collected, is_named
from grader.intake.names import ENVIRONMENTS, INSTALLED, is_archive, is_packed, stem
from grader.intake.notebook import SUFFIX
from grader.intake.places import CODE, is_meant

# Folders that people make inside one homework; a class is not made of these.
_PART = (
    r"src|source|code|programs?|python|lib|utils?|helpers?|tests?|notebooks?|\w*data\w*|models?|"
    r"docs?|documents?|old|backup|images?|img|figures?|figs?|plots?|results?|outputs?|"
    r"predictions?|checkpoints?|weights|saved|(?:la)?tex|texts?|txt|written|writing|pdfs?|maths?|"
    r"theory|reports?|write[ _-]?ups?|derivations?|explanations?|answers?|solutions?|"
    r"(?:vanilla[ _-]?)?rnn|lstm|gru|cnn|mlp|numpy|(?:py)?torch"
)
_MORE = r"my|our|the|all|new|old|final|and|files?|folder|hw[ _-]?\d*|homework[ _-]?\d*"
INNER = re.compile(
    rf"(?i:(?:(?:{_MORE})[ _-]+)*(?:{_PART})(?:[ _-]+(?:{_MORE}|{_PART}))*|"
    r"(?:my[ _-]?)?(?:new|final|first|second|last|draft|copy|attempt|version|v)[ _-]?(?:\d*|[a-z])|"
    r"(?:q|question|task|part|problem|exercise|week|homework|hw)[ _-]?\d*[a-z]?"
    r"(?:[ _-]*(?:new|old|final|copy|backup|v?\d+|\(\d+\)))*)"
)
SECTION = re.compile(
    r"(?i:(?:section|sec|class|tutorial|recitation|cohort|period|course|term|year)"
    r"[ _-]*\w{1,8}|\d{4}[ _-]?\w{0,8})"
)
# Folders that people put some of a class's submissions into.
GATHERED = re.compile(
    r"(?i:(?:.*[ _-])?(?:late|on[ _-]?time|early|extensions?|extended|resubmi\w+|regrades?|"
    r"submissions?|hand[ _-]?ins?|uploads?|by[ _-]?e?mail|e?mailed|missing|others?|more)"
    r"(?:[ _-].*)?)"
)
DOCUMENTS = (".tex", ".md", ".txt", ".pdf", ".docx", ".doc", ".odt", ".rtf", ".pages", ".html")
OFFICE = (".tex", ".pdf", ".docx", ".doc", ".odt", ".rtf", ".pages")  # nobody's notes beside code
MAX_SAME = 4  # of so many students in sections, one may be called like another
MIN_WORD = 3  # letters of a student's name in the names of archives
MIN_UNNAMED = 3  # folders with notebooks of any name that make an archive that of a class
Paths = Sequence[PurePosixPath]
Origin = Path | Collected  # where a submission is


@dataclass(frozen=True)
class Asked:
    """The files that a rubric asks for: modules, and texts, of which any suffix may be meant."""

    modules: tuple[str, ...]
    texts: tuple[str, ...] = ()

    def named(self, names: Iterable[str]) -> set[str]:
        """Return which of the modules and texts are among the names of files."""
        names = list(names)
        texts = {
            PurePosixPath(text).stem for text in self.texts if any(is_meant(n, text) for n in names)
        }
        return self.modules_in(names) | texts

    def modules_in(self, names: Iterable[str]) -> set[str]:
        """Return which of the modules are among the names of files."""
        names = list(names)
        return {module for module in self.modules if any(is_meant(n, module) for n in names)}


@dataclass(frozen=True)
class Folder:
    """A folder, on the disk or in an archive, and the paths of the files in it."""

    name: str
    files: Paths

    @classmethod
    def of(cls, name: str, files: Paths) -> Folder:
        """Return a folder without the further folders that all its work is wrapped in."""
        while True:
            top, folders = split(files)
            if len(folders) != 1 or any(map(_is_work, top)):
                return cls(name, files)
            ((_name, files),) = folders.items()

    @property
    def near(self) -> list[str]:
        """The names of the files that are in it or at most one folder further down."""
        return [file.name for file in self.files if len(file.parts) <= 2]  # noqa: PLR2004

    def held(self, asked: Asked) -> set[str]:
        """Return the modules that may be in it; in an archive or a notebook there may be any."""
        packed = any(is_packed(name) or name.lower().endswith(SUFFIX) for name in self.near)
        named = asked.modules_in(self.near)
        any_may_be = packed and not named and not INNER.fullmatch(self.name)
        return set(asked.modules) if any_may_be else named

    def has_document(self, asked: Asked) -> bool:
        """Say whether a text that is asked for, or a document in its place, is in it."""
        return bool(self.documents(asked)) or any(n.lower().endswith(OFFICE) for n in self.near)

    def documents(self, asked: Asked) -> set[str]:
        """Return the texts that are asked for and are in it in any format, without suffixes."""
        names = [PurePosixPath(n).stem for n in self.near if n.lower().endswith(DOCUMENTS)]
        stems = {PurePosixPath(text).stem for text in asked.texts}
        return {stem for stem in stems if any(is_meant(f"{n}.x", f"{stem}.x") for n in names)}

    def has_code(self) -> bool:
        """Say whether there is code in it."""
        return any(_is_work(file) for file in self.files)


def places(files: Paths, asked: Asked) -> list[PurePosixPath]:
    """Return the folders in which the submissions of a class lie; none if it is one submission.

    There is one folder, at the top or within others that hold nothing else, or one for each of the
    sections of a course.

    Args:
        files: the paths of all files.
        asked: what the rubric asks for.
    """
    level = PurePosixPath()
    while True:
        top, folders = split(files)
        if asked.named(file.name for file in top):
            loose = strays(files, asked)
            if not loose:
                return []
            files = [file for file in files if file not in loose]
            top, folders = split(files)
        names = [file.name for file in top]
        if METADATA in names or _is_download([*names, *folders]):
            return [level]
        if _is_of_archives(top, folders):
            return [level]
        made = [Folder.of(name, inner) for name, inner in folders.items()]
        if _is_mixed(top, made, asked):
            return [level]
        if len(folders) > 1 and not any(map(_is_work, top)):
            sections = _sections(folders, asked)
            if sections or _pack_submissions(made, asked):
                return [level / place for place in sections or [PurePosixPath()]]
        if len(folders) != 1 or any(map(_is_work, top)):
            return []
        ((name, files),) = folders.items()
        level /= name


def strays(files: Paths, asked: Asked) -> frozenset[PurePosixPath]:
    """Return the files asked for that lie beside the submissions of a class; none if it is not one.

    It is a class if a platform has named two of its members, or if folders or archives hold the
    same module, and none that holds one is called like a part or a copy of a homework. Two folders
    tell only if what lies beside them is a module of theirs. The contents of
    archives may be given as those of folders.
    """
    top, folders = split(files)
    named = [name for name in (*(file.name for file in top), *folders) if is_named(name)]
    loose = [file for file in top if asked.named([file.name]) and file.name not in named]
    made = [Folder.of(stem(PurePath(name)), inner) for name, inner in folders.items()]
    held = {folder.name: modules for folder in made if (modules := folder.held(asked))}
    # Two folders with one module, and another module beside them, are one student's as a rule.
    telling = (
        asked.named(file.name for file in loose) & set().union(*held.values())
        or len(held) >= MIN_UNNAMED
        or any(map(is_packed, folders))
    )
    of_class = (
        bool(telling) and _have_in_common([*held.values()]) and not any(map(INNER.fullmatch, held))
    )
    return frozenset(loose) if len(named) > 1 or of_class else frozenset()


def _sections(folders: dict[str, Paths], asked: Asked) -> list[PurePosixPath]:
    """Return the places of the submissions if every folder is a class, of different students.

    Folders in which all is called alike are versions of one student's work, unless they are named
    as sections are; of these, one may also have a single student.
    """
    found: list[PurePosixPath] = []
    students: list[str] = []
    named = all(map(SECTION.fullmatch, folders))
    for name, files in folders.items():
        within = places(files, asked)
        if not within and named and not any(map(_is_work, split(files)[0])):
            within = [PurePosixPath()]
        if not within:
            return []
        found += [PurePosixPath(name) / place for place in within]
        inside = [
            f.relative_to(place) for place in within for f in files if f.is_relative_to(place)
        ]
        students += {file.parts[0] for file in inside if len(file.parts) > 1 or _is_work(file)}
    same = len(students) - len(set(students))
    return found if named or MAX_SAME * same <= len(students) else []


def _is_mixed(top: Paths, folders: Sequence[Folder], asked: Asked) -> bool:
    """Say whether some handed in archives, others folders, and none is called like a part."""
    archives = [file for file in top if is_packed(file.name)]
    names = [*(stem(PurePath(file)) for file in archives), *(folder.name for folder in folders)]
    return (
        bool(archives and folders)
        and (len(names) >= MIN_UNNAMED or any(map(GATHERED.fullmatch, names)))
        and not any(map(INNER.fullmatch, names))
        and not any(_is_work(file) for file in top if file not in archives)
        and all(folder.held(asked) for folder in folders)
    )


def only_archive(files: Paths) -> PurePosixPath | None:
    """Return the archive that is all there is of work, and may be that of a class; else None."""
    work = [file for file in files if _is_work(file)]
    return work[0] if len(work) == 1 and is_archive(work[0].name) else None


def _is_of_archives(top: Paths, folders: dict[str, Paths]) -> bool:
    """Say whether there are archives alone, or folders with archives alone."""
    inner = [file for files in folders.values() for file in files]
    everything = [*top, *inner]
    names = [*(stem(PurePath(file)) for file in top), *folders]
    return (
        len(names) > 1
        and all(is_packed(file.name) for file in everything)
        and all(len(file.parts) == 1 for file in inner)
        and not all(map(INNER.fullmatch, names))
    )


def _is_download(names: Sequence[str]) -> bool:
    named = sum(map(is_named, names))
    return named > 0 and 2 * named >= len(names)


def gathered(name: str, files: Paths, asked: Asked) -> list[PurePosixPath]:
    """Return the places of the submissions in a folder among submissions; none if it is one.

    Archives that are called neither like parts of a homework nor like the folder are different
    students', such as those in a folder ``late``.

    Args:
        name: the folder's.
        files: the paths of the files in it.
        asked: what the rubric asks for.
    """
    top, folders = split(files)
    names = [stem(PurePath(file)) for file in top if is_packed(file.name)]
    words = {word for word in re.split(r"[\W_]+", name.casefold()) if len(word) >= MIN_WORD}
    own = {word for word in words if not (INNER.fullmatch(word) or GATHERED.fullmatch(word))}
    if any(INNER.fullmatch(n) or any(word in n.casefold() for word in own) for n in names):
        return []
    named = bool(GATHERED.fullmatch(name) or SECTION.fullmatch(name))
    least = 1 if named else 2
    if not folders and len(names) == len(top) >= least:
        return [PurePosixPath()]
    return places(files, asked) if named else []


def split(files: Paths) -> tuple[list[PurePosixPath], dict[str, Paths]]:
    """Return the files at the top, and those of each folder by paths relative to it."""
    top: list[PurePosixPath] = []
    folders: dict[str, list[PurePosixPath]] = {}
    for file in files:
        if len(file.parts) == 1:
            top.append(file)
        elif not is_made(file.parts[0]):
            folders.setdefault(file.parts[0], []).append(PurePosixPath(*file.parts[1:]))
    return top, {**folders}


def is_made(folder: str) -> bool:
    """Say whether a folder is hidden, or a tool's for installed packages: nobody handed it in."""
    return folder.startswith(".") or folder.lower() in (ENVIRONMENTS | INSTALLED)


def _is_work(file: PurePosixPath) -> bool:
    return file.suffix.lower() in CODE or is_packed(file.name)


def hold_submissions(folders: Sequence[Folder], asked: Asked) -> bool:
    """Say whether folders are submissions each, and not the parts of one.

    They are if two of them hold the same module. One that holds modules beside others that hold no
    code, or that are called like parts of a homework, is one submission; so are folders that hold
    different modules. Folders of texts alone are submissions as ``_are_of_texts`` says.
    """
    held = [folder.held(asked) for folder in folders]
    holding = [names for names in held if names]
    working = [
        folder
        for folder, names in zip(folders, held, strict=True)
        if names or asked.named(folder.near)
    ]
    if all(INNER.fullmatch(folder.name) for folder in working or folders):
        return False
    if len(folders) <= 1 or not holding:
        return bool(holding) or _are_of_texts(folders, asked)
    if len(holding) > 1 or _are_of_texts(folders, asked):
        return _have_in_common(holding) or _are_of_texts(folders, asked)
    others = [folder for folder, names in zip(folders, held, strict=True) if not names]
    (holder,) = (folder for folder, names in zip(folders, held, strict=True) if names)
    parts = all(INNER.fullmatch(folder.name) or not folder.has_code() for folder in others)
    inner = any(INNER.fullmatch(folder.name) for folder in others)
    return not (INNER.fullmatch(holder.name) or (parts and inner))


def _are_of_texts(folders: Sequence[Folder], asked: Asked) -> bool:
    """Say whether folders are submissions by the texts in them.

    They are if all that hold anything hold the same text. If none is called like a part of a
    homework, it is enough that two hold the same text, or that at least three hold a document each
    and no module.
    """
    named = [names for folder in folders if (names := asked.named(folder.near))]
    shared = {PurePosixPath(text).stem for text in asked.texts}
    texts = [names & shared for names in named]
    for names in named:
        shared &= names
    if len(named) > 1 and shared:
        return True
    if any(INNER.fullmatch(folder.name) for folder in folders):
        return False
    if _have_in_common(texts):
        return True
    full = [folder for folder in folders if folder.files]
    if any(folder.has_code() or not folder.has_document(asked) for folder in full):
        return False
    return len(full) >= MIN_UNNAMED or _have_in_common([f.documents(asked) for f in full])


def _have_in_common(held: Sequence[set[str]]) -> bool:
    return sum(map(len, held)) > len(set().union(*held))


def _pack_submissions(folders: Sequence[Folder], asked: Asked) -> bool:
    """Say whether the folders in an archive are submissions each.

    An archive is one student's more often than a folder is: two folders must hold the same module
    under its name, all the same text, or each of several at least a notebook or an archive.
    """
    if not hold_submissions(folders, asked):
        return False
    named = [names for folder in folders if (names := asked.modules_in(folder.near))]
    everywhere = all(folder.held(asked) for folder in folders)
    return (
        _have_in_common(named)
        or _are_of_texts(folders, asked)
        or (everywhere and len(folders) >= MIN_UNNAMED)
    )
