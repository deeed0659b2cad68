"""Canvas's network interface, by the package ``canvasapi``.

Source: "Submissions" (``PUT .../submissions/:user_id``), "Courses" (``search_users``), "File
Uploads", "Pagination" and "Throttling" of the Canvas LMS REST API documentation.
"""

from __future__ import annotations

import math
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from grader.deliver.exports.canvas import numbers_of
from grader.deliver.exports.roster import Roster, RosterRow, email_name
from grader.deliver.pushing.changes import (
    SAME_POINTS,
    GradeChange,
    PushError,
    Standing,
    StoppedError,
)
from grader.errors import UsageError
from grader.readers.tables import Sheet, folded_name
from grader.readers.texts import did_you_mean, plain, printable, quoted

EXTRA = "pip install 'dl-grader[canvas]'"
TIMEOUT_S = 30.0  # the package sets no limit of its own
WAITS_S = (1.0, 2.0, 4.0, 8.0, 16.0)  # Canvas lets a client go on after some seconds
MAX_ANSWER = 200  # characters of what Canvas says
LOOPBACK = ("localhost", "127.0.0.1", "::1")
NOT_IN_POINTS = ("pass_fail", "not_graded")
Value = TypeVar("Value")


def canvasapi_or_refuse() -> Any:
    """Import the package.

    Raises:
        UsageError: it is not installed.
    """
    try:
        import canvasapi
    except ImportError as error:
        raise UsageError(
            f"--push canvas needs {error.name}, which is not installed: {EXTRA}"
        ) from None
    return canvasapi


@dataclass(frozen=True)
class Address:
    """Where an assignment is: the address of Canvas, the course's number, the assignment."""

    url: str
    course: str
    assignment: str

    def check(self) -> None:
        """Refuse an address to which a token must not be sent.

        Raises:
            UsageError: it is none, or neither encrypted nor on this machine.
        """
        parts = urlsplit(self.url)
        if parts.scheme not in ("https", "http") or not parts.hostname:
            raise UsageError(f"{self.url}: not an address such as https://canvas.example.edu")
        if parts.scheme == "http" and parts.hostname not in LOOPBACK:
            raise UsageError(f"{self.url}: the token would travel unencrypted; use https://")
        if not self.course.isdecimal():
            raise UsageError(
                f"--course {self.course}: must be the number in the course's address, as in "
                "/courses/1234"
            )


class CanvasCourse:
    """An assignment of a course on Canvas.

    Args:
        address: where it is.
        token: of the instructor; in no message.
        sleep: waits so many seconds, where Canvas asks for patience.

    Raises:
        UsageError: there is no such course or assignment, or the token is not valid.
    """

    def __init__(
        self, address: Address, token: str, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        canvasapi_or_refuse()
        address.check()
        from canvasapi.course import Course
        from canvasapi.requester import Requester

        self._sleep = sleep
        self._address = address
        self._token = token.strip()
        self._requester = Requester(address.url.rstrip("/"), self._token)
        self._limit_time()
        self._course = Course(self._requester, {"id": int(address.course)})
        self._assignment = self._found(address.assignment)
        self._submissions: dict[str, Any] = {}

    def _limit_time(self) -> None:
        """Let no request wait forever: the package has no way to say so."""
        session = self._requester._session  # noqa: SLF001
        request = session.request

        def limited(*arguments: Any, **options: Any) -> Any:
            return request(*arguments, **({"timeout": TIMEOUT_S} | options))

        session.request = limited

    @property
    def title(self) -> str:
        """The assignment's name and number."""
        return f"{self._assignment.name} ({self._assignment.id})"

    @property
    def max_points(self) -> float | None:
        """The points possible."""
        return _number(getattr(self._assignment, "points_possible", None))

    def _found(self, wanted: str) -> Any:
        every = self._asked(lambda: list(self._course.get_assignments()), "course")
        found = [one for one in every if str(one.id) == wanted]
        found = found or [one for one in every if folded_name(one.name) == folded_name(wanted)]
        if len(found) != 1:
            names = [one.name for one in every]
            what = "several assignments are" if found else "no assignment is"
            near = "" if found else did_you_mean(wanted, names)
            listed = ", ".join(f"{quoted(one.name)} ({one.id})" for one in every)
            raise UsageError(
                f"course {self._address.course}: {what} called {quoted(wanted)}{near}; choose one "
                f"with --assignment NUMBER (there are: {listed or 'none'})"
            )
        kind = getattr(found[0], "grading_type", "points")
        if kind in NOT_IN_POINTS:
            raise UsageError(
                f"{quoted(found[0].name)} takes no points on Canvas (grading type {kind})"
            )
        if getattr(found[0], "anonymize_students", False):
            raise UsageError(
                f"{quoted(found[0].name)} is graded anonymously, and Canvas names nobody; show the "
                "students' names there first"
            )
        return found[0]

    def roster(self) -> Roster:
        """Return the students of the course, as an exported gradebook would list them.

        Raises:
            UsageError: Canvas does not list them.
        """
        asked = {"enrollment_type": ["student"], "include": ["email"]}
        users = self._asked(lambda: list(self._course.get_users(**asked)), "list of students")
        students = {}
        for place, user in enumerate(users):
            exact = [_text(user, name) for name in ("sis_user_id", "login_id", "integration_id")]
            email, own = _text(user, "email"), str(user.id)
            names = tuple(filter(None, [_text(user, "sortable_name"), _text(user, "name")]))
            students[place] = RosterRow(
                0,
                names[0] if names else own,
                own,
                own,
                tuple(filter(None, [*exact, email])),
                tuple(filter(None, map(email_name, [*exact, email]))),
                names,
            )
        name = f"course {self._address.course}"
        return Roster(Sheet(name), students, numbers_of(students.values()))

    def standings(self) -> dict[str, Standing]:
        """Return what Canvas has for each student of the assignment.

        Raises:
            UsageError: Canvas does not list it.
        """
        asked = {"include": ["submission_comments"]}
        every = self._asked(
            lambda: list(self._assignment.get_submissions(**asked)), "list of submissions"
        )
        self._submissions = {str(one.user_id): one for one in every if _has(one, "user_id")}
        return {user: _standing(one) for user, one in self._submissions.items()}

    def send(self, change: GradeChange) -> str:
        """Send a change; return what a person must know about it.

        Raises:
            PushError: Canvas did not take it.
            StoppedError: Canvas takes nothing any more.
        """
        what = {}
        comment: dict[str, Any] = {"text_comment": change.comment} if change.comment else {}
        if change.page is not None:
            comment["file_ids"] = [self._uploaded(change)]
        if change.is_of_points:
            what["submission"] = {"posted_grade": plain(change.new)}
        if comment:
            what["comment"] = comment
        one = self._submissions[change.user]
        self._patiently(lambda: one.edit(**what))
        return _compared(one, change)

    def _uploaded(self, change: GradeChange) -> int:
        from canvasapi.upload import Uploader

        if change.page is None:
            raise ValueError(change)
        one = self._submissions[change.user]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / change.page.name
            path.write_bytes(change.page.data)
            place = f"assignments/{self._assignment.id}/submissions/{change.user}/comments/files"
            url = f"courses/{one.course_id}/{place}"
            told = self._patiently(lambda: Uploader(self._requester, url, str(path)).start())
        done, answer = told
        if not done or "id" not in answer:
            raise PushError("Canvas did not take the page; the points were not sent either")
        return int(answer["id"])

    def _asked(self, call: Callable[[], Value], what: str) -> Value:
        """Return what a question gives, before anything is sent."""
        try:
            return self._patiently(call, again_after=True)
        except PushError as error:
            raise UsageError(f"{self._address.url}: {what}: {error}") from None

    def _patiently(self, call: Callable[[], Value], *, again_after: bool = False) -> Value:
        """Return what a call gives; wait where Canvas says that there were too many.

        Args:
            call: asks or sends something.
            again_after: whether it may be repeated after an error of Canvas's own, too. What was
                sent may have arrived.
        """
        for wait_s in (*WAITS_S, None):
            try:
                return self._called(call)
            except _BusyError as error:
                if wait_s is None or not (error.refused or again_after):
                    raise
                self._sleep(wait_s)
        raise AssertionError

    def _called(self, call: Callable[[], Value]) -> Value:
        import requests
        from canvasapi import exceptions

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return call()
        except (exceptions.InvalidAccessToken, exceptions.Unauthorized) as error:
            raise StoppedError(
                "Canvas does not accept the token in CANVAS_TOKEN, or it does not allow this "
                f"({self._said(error)})"
            ) from None
        except exceptions.RateLimitExceeded:
            raise _BusyError("too many requests", refused=True) from None
        except exceptions.Forbidden as error:
            if "rate limit" in str(error).casefold():
                raise _BusyError("too many requests", refused=True) from None
            raise PushError(f"Canvas does not allow it ({self._said(error)})") from None
        except exceptions.ResourceDoesNotExist:
            raise PushError("Canvas knows no such course, assignment or student (404)") from None
        except exceptions.CanvasException as error:
            status = _status(error)
            if status >= 500:  # noqa: PLR2004
                raise _BusyError(f"Canvas failed (status {status})", refused=False) from None
            raise PushError(f"Canvas refused ({self._said(error)})") from None
        except (requests.exceptions.InvalidJSONError, ValueError):
            text = "what answered is not Canvas's interface; is the address right?"
            raise PushError(text) from None
        except requests.RequestException as error:
            text = f"Canvas cannot be reached ({type(error).__name__})"
            raise _BusyError(text, refused=False) from None

    def _said(self, error: Exception) -> str:
        """Return what Canvas said. A server between may repeat what was sent, with the token."""
        text = str(error)
        return printable(text.replace(self._token, "...") if self._token else text, MAX_ANSWER)


class _BusyError(PushError):
    """Canvas may take the same later; ``refused`` if it is sure that it did nothing."""

    def __init__(self, text: str, *, refused: bool) -> None:
        super().__init__(text)
        self.refused = refused


def _status(error: Exception) -> int:
    digits = str(error).rpartition("status code ")[2]
    return int(digits) if digits.isdecimal() else 0


def _compared(one: Any, change: GradeChange) -> str:
    """Return a note if Canvas counts other points than those that were sent.

    Raises:
        PushError: it did not take them.
    """
    entered, counted = _entered(one), _number(getattr(one, "score", None))
    if entered is None or abs(entered - change.new) > SAME_POINTS:
        has = "none" if entered is None else plain(entered)
        raise PushError(f"Canvas has {has} points now, not {plain(change.new)}")
    if counted is not None and abs(counted - change.new) > SAME_POINTS:
        return (
            f"Canvas counts {plain(counted)} of these points: its own rule for late submissions "
            "takes off the rest"
        )
    return ""


def _entered(one: Any) -> float | None:
    """Return the points as they were entered, before Canvas's own rule for late submissions."""
    entered = _number(getattr(one, "entered_score", None))
    return _number(getattr(one, "score", None)) if entered is None else entered


def _standing(one: Any) -> Standing:
    comments = _items(getattr(one, "submission_comments", None))
    files = [file for item in comments for file in _items(item.get("attachments"))]
    names = [str(file.get(key, "")) for file in files for key in ("display_name", "filename")]
    return Standing(
        _entered(one),
        bool(getattr(one, "excused", False)),
        frozenset(str(item.get("comment", "")) for item in comments),
        frozenset(filter(None, names)),
    )


def _items(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _has(one: Any, name: str) -> bool:
    return getattr(one, name, None) is not None


def _text(user: Any, name: str) -> str:
    value = getattr(user, name, None)
    return "" if value is None else str(value).strip()


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
