"""Whose hand-in is it? What two hand-ins claim belongs to nobody until a person decides.

Grades are exported by names. A student can choose the name of a file, and often a display name, so
that it becomes another's when it is made fit for a folder, or only looks like another's on a page.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence

from grader.intake.archives import shown
from grader.intake.downloads import Collected
from grader.intake.layouts import Origin
from grader.intake.names import RESERVED_IDS, safe_id, stem

MAX_CLAIMANTS = 6  # that a message names
# Letters and digits that look like a Latin letter, in lower case or because their capitals do.
# Source: Unicode Technical Standard 39, ``confusables.txt``: Cyrillic, Greek, Armenian, digits; and
# letters with a stroke, which have no accent that could be taken off.
ALIKE = {
    "a": "\u0430\u03b1\u0251", "b": "\u0432\u044c\u0185", "c": "\u0441\u03f2", "d": "\u0501",
    "e": "\u0435\u04bd\u03b5", "g": "\u0261\u0581", "h": "\u04bb\u0570\u043d",
    "i": "\u0456\u03b9\u0131", "j": "\u0458\u03f3", "k": "\u043a\u03ba",
    "l": "\u04cf\u01c0\u0142|1",
    "m": "\u043c", "n": "\u0578",
    "o": "\u043e\u03bf\u0585\u03c3\u00f80", "p": "\u0440\u03c1", "q": "\u051b\u0566", "r": "\u0433",
    "s": "\u0455", "t": "\u0442\u03c4", "u": "\u057d\u03c5", "v": "\u03bd\u0475",
    "w": "\u051d\u0461", "x": "\u0445\u03c7", "y": "\u0443\u03b3\u04af",
}  # fmt: skip
PAIRS = {"rn": "m", "vv": "w"}  # that look like one letter in many typefaces
LOOK_ALIKES = {ord(other): latin for latin, others in ALIKE.items() for other in others}


def looks(name: str) -> str:
    """Return what a name looks like: the same for names that a person takes for each other.

    Case, accents, invisible characters, kinds of spaces and of punctuation make no difference.
    """
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name).casefold())
    seen = "".join(c for c in plain if unicodedata.category(c) not in ("Mn", "Cf", "Me"))
    latin = seen.translate(LOOK_ALIKES)
    for pair, letter in PAIRS.items():
        latin = latin.replace(pair, letter)
    words = "".join(c if c.isalnum() else " " for c in latin)
    return "_".join(words.split())


def named(origins: Sequence[Origin]) -> list[tuple[str, str, Origin]]:
    """Return (its id, the id that its name gives alone, where it is) of all hand-ins.

    Of two with one id, the second gets a number, and never a number that makes it a third's id: who
    is called ``zoe-2`` keeps that name. The first is whoever is called exactly so.
    """
    bases = [
        one.identifier if isinstance(one, Collected) else safe_id(stem(one.resolve()))
        for one in origins
    ]
    names = {base.casefold() for base in bases}
    taken = {name.casefold() for name in RESERVED_IDS}
    made: dict[int, str] = {}
    for index in sorted(range(len(bases)), key=lambda index: not _is_exact(origins[index])):
        base = bases[index]
        identifier, number = base, 1
        while identifier.casefold() in (taken if number == 1 else taken | names):
            number += 1
            identifier = f"{base}-{number}"
        taken.add(identifier.casefold())
        made[index] = identifier
    return [(made[index], base, origins[index]) for index, base in enumerate(bases)]


def _is_exact(origin: Origin) -> bool:
    """Say whether a hand-in's name is an id as it is."""
    if isinstance(origin, Collected):
        return True
    name = stem(origin.resolve())
    return name == safe_id(name)


def contested(found: Sequence[tuple[str, str, Origin]]) -> dict[str, str]:
    """Return, by id, why a hand-in belongs to nobody until a person decides.

    Args:
        found: (its id, the id that its name gives alone, where it is) of all hand-ins.
    """
    made = {
        identifier: f"{origin.doubt}: rename the file, and grade it again"
        for identifier, _base, origin in found
        if isinstance(origin, Collected) and origin.doubt
    }
    names = {identifier: _name(origin) for identifier, _base, origin in found}
    for group in _groups([(i, _keys(base, origin)) for i, base, origin in found]):
        if len(group) > 1 and not _are_namesakes(group, found):
            told = ", ".join(f"{shown(names[one])} ({one})" for one in group[:MAX_CLAIMANTS])
            more = f" and {len(group) - MAX_CLAIMANTS} more" if len(group) > MAX_CLAIMANTS else ""
            why = (
                f"{len(group)} hand-ins have this name, or one that looks like it: {told}{more}; "
                "find out whose they are, rename them so that they differ, and grade them again"
            )
            made.update({one: made.get(one, why) for one in group})
    return made


def _name(origin: Origin) -> str:
    """Return how a hand-in is called where it lies, with the folder that tells it from others."""
    path = origin.parts[0].path if isinstance(origin, Collected) else origin
    return f"{path.parent.name}/{path.name}"


def _is_numbered(origin: Origin) -> bool:
    """Say whether a platform's own number says whose it is, whatever the student is called."""
    return isinstance(origin, Collected) and origin.student is not None and bool(origin.student.id)


def _keys(base: str, origin: Origin) -> set[tuple[str, str]]:
    """Return what a hand-in must share with no other."""
    keys = {("id", base.casefold())}
    if not isinstance(origin, Collected):
        keys.add(("looks", looks(stem(origin.resolve()))))
    elif origin.student is not None and origin.student.name:
        keys.add(("name", looks(origin.student.name)))
    else:
        keys.add(("looks", looks(base)))
    return keys


def _are_namesakes(group: Sequence[str], found: Sequence[tuple[str, str, Origin]]) -> bool:
    """Say whether all have a number of the platform's, and exactly the same name besides."""
    inside = [(base, origin) for identifier, base, origin in found if identifier in group]
    if not all(_is_numbered(origin) for _base, origin in inside):
        return False
    ids = {base.casefold() for base, _origin in inside}
    names = {o.student.name for _b, o in inside if isinstance(o, Collected) and o.student}
    return len(ids) == len(inside) and len(names) == 1


def _groups(keyed: Sequence[tuple[str, set[tuple[str, str]]]]) -> list[list[str]]:
    """Return the ids that share a key, directly or by way of others."""
    groups: list[tuple[set[tuple[str, str]], list[str]]] = []
    for identifier, keys in keyed:
        same = [group for group in groups if group[0] & keys]
        groups = [group for group in groups if group not in same]
        merged: Mapping[str, None] = dict.fromkeys(one for _k, members in same for one in members)
        groups.append((keys.union(*(group[0] for group in same)), [*merged, identifier]))
    return [members for _keys, members in groups]
