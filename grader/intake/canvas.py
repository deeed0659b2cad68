"""The names that Canvas gives to downloaded files, in every way in which each can be read.

A name is ``<name>[_LATE]_<user>_<file>_<title>``: the name of the student or of the group, both
numbers from Canvas's own counters, and what the file was called. A text entry has no number of a
file. Where grading is anonymous, ``anon_<code>`` stands in place of name and user.

Names of groups and titles may hold numbers, too: ``team_7_201_6001_hw2.zip`` is the file hw2.zip of
user 201 in team_7, or the file 6001_hw2.zip of user 7 in a group called team. The other names of
the download and the list of students decide, or nothing does.

Source: ``content_zipper.rb`` of Canvas (``get_filename``, ``sanitize_user_name``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from grader.intake.names import letters

NUMBER = re.compile(r"[0-9]{1,18}")  # Canvas counts in 64 bits
NAME = re.compile(r"\w+")  # Canvas takes everything else out of a name
ANONYMOUS = re.compile(
    r"(?:(?P<late>LATE)_)?(?P<user>anon_[A-Za-z0-9]+)_(?:(?P<file>[0-9]+)_)?(?P<title>.+)",
    re.DOTALL,
)
LATE = "LATE"
ENTRIES = ("text.html", "link.html")
NEAR = 3  # a number is of the size of others if it is at most so many times larger or smaller
MAX_SMALL = 999  # people number groups and titles so; a larger number is a student's
People = Mapping[str, Collection[str]]  # number of a student -> forms of the name, by ``letters``


@dataclass(frozen=True)
class NameReading:
    """One way to read a name. ``file`` is empty for a text entry; ``user`` may be ``anon_...``."""

    name: str
    late: bool
    user: str
    file: str
    title: str

    @property
    def owner(self) -> tuple[str, str]:
        """Whose file it is."""
        return self.name, self.user


Readings = tuple[NameReading, ...]


def readings(name: str, *, stem: bool = False) -> Readings:
    """Return every way to read a name, the shortest student's name first; none if it has none.

    Args:
        name: of a file or folder.
        stem: whether the suffix was taken off, as in the id of a submission.
    """
    entries = tuple(entry.removesuffix(".html") for entry in ENTRIES) if stem else ENTRIES
    anonymous = ANONYMOUS.fullmatch(name)
    if anonymous is not None and (anonymous["file"] or anonymous["title"] in entries):
        late = anonymous["late"] is not None
        file = anonymous["file"] or ""
        return (NameReading("", late, anonymous["user"], file, anonymous["title"]),)
    return tuple(_readings(name.split("_"), entries))


def _readings(words: Sequence[str], entries: Collection[str]) -> Iterable[NameReading]:
    for at in range(1, len(words) - 1):
        late = words[at - 1] == LATE
        name = "_".join(words[: at - 1] if late else words[:at])
        if not NAME.fullmatch(name) or not NUMBER.fullmatch(words[at]):
            continue
        following, title = words[at + 1], "_".join(words[at + 2 :])
        if NUMBER.fullmatch(following) and title:
            yield NameReading(name, late, words[at], following, title)
        elif following in entries and not words[at + 2 :]:
            yield NameReading(name, late, words[at], "", following)


def settled(
    names: Mapping[str, Readings],
    people: People | None = None,
    known: Mapping[str, str] | None = None,
) -> dict[str, Readings]:
    """Return the readings that remain of each name: one where it is clear, else all in doubt.

    Each name that is clear says more about the others, since one download holds the numbers of
    one course.

    Args:
        names: the readings of every name of a download.
        people: the students of the platform's list, if there is one.
        known: the user that was found when the download was graded, for some names.
    """
    left = dict(names)
    while True:
        clear = [ways[0] for ways in left.values() if len(ways) == 1]
        evidence = _Evidence(clear, people or {})
        narrowed = {
            name: ways if len(ways) < 2 else evidence.narrow(ways, (known or {}).get(name, ""))  # noqa: PLR2004
            for name, ways in left.items()
        }
        if narrowed == left:
            return left
        left = narrowed


def disguised(ways: Readings) -> str:
    """Return the user whose file this may be as well, under a name made to be read as another's.

    Canvas takes from a name what is neither a letter nor a number, but not from a title: a file
    that was downloaded and handed in again has such a title, too. Only a person can tell.
    """
    users = {way.user for way in ways}
    for way in ways:
        words = way.title.split("_")
        for at in range(1, len(words) - 2):
            user, file = words[at], words[at + 1]
            if not (NUMBER.fullmatch(user) and NUMBER.fullmatch(file)) or user in users:
                continue
            known = [int(one) for one in users if NUMBER.fullmatch(one)]
            if any(_near(int(user), one) for one in known) and int(file) > int(user):
                return user
    return ""


def _near(one: int, other: int) -> bool:
    return max(one, other) <= NEAR * min(one, other)


class _Evidence:
    """What speaks for a reading: the list of students, and the names that are clear."""

    def __init__(self, clear: Sequence[NameReading], people: People) -> None:
        self._people = people
        self._owners = {reading.owner for reading in clear}
        users = [*people, *(reading.user for reading in clear)]
        self._users = {int(user) for user in users if NUMBER.fullmatch(user)}
        self._files = {int(reading.file) for reading in clear if reading.file}
        # Where one student's name is that of the list, no file is a group's.
        self._of_individuals = any(self._is_named(reading) for reading in clear)

    def narrow(self, ways: Readings, known: str) -> Readings:
        """Return the readings that none of the tests, strongest first, speaks against.

        A test that would leave none says nothing.
        """
        tests: tuple[Callable[[NameReading], bool], ...] = (
            self._is_named,
            lambda way: not (self._of_individuals and way.user in self._people),
            lambda way: way.user == known,
            lambda way: way.owner in self._owners,
            # Canvas counts files faster than people: 2 in 101_5551_2_hw.zip begins the title.
            lambda way: not way.file or int(way.file) > min(int(way.user), MAX_SMALL),
            lambda way: not self._is_file(int(way.user)),
            lambda way: not way.file or not self._is_user(int(way.file)),
        )
        for test in tests:
            ways = tuple(filter(test, ways)) or ways
        listed = tuple(way for way in ways if way.user in self._people)
        if len(listed) == 1 and not _by_accident(listed[0], ways):
            ways = listed
        return tuple(filter(_as_cleaned, ways)) or ways

    def _is_named(self, way: NameReading) -> bool:
        return letters(way.name) in self._people.get(way.user, ())

    def _is_user(self, number: int) -> bool:
        if number in self._users or number in self._files:
            return number not in self._files
        return self._apart() and number <= NEAR * max(self._users)

    def _is_file(self, number: int) -> bool:
        if number in self._users or number in self._files:
            return number not in self._users
        return self._apart() and NEAR * number >= min(self._files)

    def _apart(self) -> bool:
        """Say whether the numbers of files are so much higher that they tell them from users'."""
        return bool(
            self._users
            and self._files
            and NEAR * NEAR * max(self._users) < min(self._files)
        )  # fmt: skip


def _by_accident(listed: NameReading, ways: Readings) -> bool:
    """Say whether the only student on the list may be there because a group has that number.

    The number of a group, ``team_7``, is small, and the first number in the name.
    """
    return listed == ways[0] and int(listed.user) <= MAX_SMALL


def _as_cleaned(way: NameReading) -> bool:
    """Say whether a name can be Canvas's, which takes the underscores off a number in it."""
    return not any(map(NUMBER.fullmatch, way.name.split("_")[1:-1]))
