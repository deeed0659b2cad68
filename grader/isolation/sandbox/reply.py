"""What a worker answers to a request, checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from grader.isolation.wire import Decoder, WireError

from .student_error import StudentError, listed_texts

# What a worker may say that it did another way (``worker/ordinary.py``).
ADAPTED = ("DataLoader", "Pool", "ProcessPoolExecutor", "torch.compile")
OF_A_CALL = frozenset(["id", "result", "mutated", "adapted"])
MAX_TOGETHER = 128 * 1024  # bytes of buffers that are received in one piece
MAX_TOLD = 20  # entries of a list that a worker reports beside a value
MAX_WORDS = 300  # characters of what it says of one of them


@dataclass(frozen=True)
class Reply:
    """What a request brought: a value or an exception, and which arguments were changed.

    Of a module that was loaded: the packages that are not installed, the statements that were left
    out (file, line, text, exception), and what there is to say of functions that are defined twice.
    ``made`` are names that functions use, with the missing package that they were computed from.
    ``adapted`` names what ran another way than it was written (``worker/ordinary.py``), and
    ``cut`` says that statements outside the functions printed more than is kept, ``alone`` that
    they took what is another process's in each check, such as the time (``worker/moments.py``).
    ``pure`` says that the module is there as it was proven to be pure (``worker/turns.py``).
    """

    value: Any = None
    error: StudentError | None = None
    mutated: tuple[int, ...] = ()
    missing_packages: tuple[str, ...] = field(default=())
    skipped: tuple[tuple[str, int, str, str], ...] = ()
    twice: tuple[tuple[str, str], ...] = ()
    made: tuple[tuple[str, str], ...] = ()
    adapted: tuple[str, ...] = ()
    cut: bool = False
    alone: bool = False
    pure: bool = False


def received(sizes: Sequence[int], exactly: Callable[[int], bytearray]) -> list[bytearray]:
    """Receive buffers of these sizes; small ones in one piece, which is cut afterwards."""
    if sum(sizes) > MAX_TOGETHER:
        return [exactly(size) for size in sizes]
    whole, ends = exactly(sum(sizes)), list(accumulate(sizes))
    return [whole[end - size : end] for size, end in zip(sizes, ends, strict=True)]


def decoded(body: dict[str, Any], buffers: list[bytearray]) -> dict[str, Any]:
    """Return an answer, or the answers to several calls, with its values; raises ``WireError``."""
    several = body.get("results")
    decoder = Decoder(buffers, counts_all_texts=several is not None)
    for answer in [body, *(several if type(several) is list else [])]:
        if type(answer) is not dict:
            raise WireError("an answer is not an object")
        if "result" in answer:
            answer["result"] = decoder.decode(answer["result"])
    return body


def parse_reply(answer: dict[str, Any]) -> Reply:
    """Return the reply that an answer holds; raises ``WireError``."""
    if "error" in answer:
        return Reply(error=StudentError.from_wire(answer["error"]))
    mutated = answer.get("mutated", [])
    if answer.keys() <= OF_A_CALL and mutated == answer.get("adapted") == []:
        return Reply(answer.get("result"))  # as nearly all are
    missing = answer.get("missing_packages", [])
    if type(mutated) is not list or any(type(index) is not int for index in mutated):
        raise WireError("the list of changed arguments is malformed")
    if type(missing) is not list or any(type(name) is not str for name in missing):
        raise WireError("the list of missing packages is malformed")
    return Reply(
        *(answer.get("result"), None, tuple(mutated), tuple(missing)),
        *(_skipped(answer.get("skipped", [])), _pairs(answer.get("twice", []))),
        _pairs(answer.get("made", [])),
        tuple(name for name in ADAPTED if name in listed_texts(answer.get("adapted", []))),
        alone=bool(answer.get("alone")),
        pure=answer.get("pure") is True,
    )


def parse_replies(answers: Any, count: int) -> list[Reply]:
    """Return the replies to calls that were sent together, up to the first that raises.

    Raises:
        WireError: they are malformed, or some calls are left without a reply.
    """
    if type(answers) is not list or not 0 < len(answers) <= count:
        raise WireError("the answers to calls are malformed")
    replies = [parse_reply(answer) for answer in answers]
    if any(reply.error is not None for reply in replies[:-1]) or (
        len(replies) < count and replies[-1].error is None
    ):
        raise WireError("calls are left without an answer")
    return replies


def _skipped(value: Any) -> tuple[tuple[str, int, str, str], ...]:
    """Check the types of a list of skipped statements; raises ``WireError``."""
    kinds = [str, int, str, str]
    if type(value) is not list or any(
        type(row) is not list or [type(item) for item in row] != kinds for row in value
    ):
        raise WireError("the list of skipped statements is malformed")
    return tuple((file, line, text, why) for file, line, text, why in value[:MAX_TOLD])


def _pairs(value: Any) -> tuple[tuple[str, str], ...]:
    """Check the types of a list of names and words about them; raises ``WireError``."""
    if type(value) is not list or any(
        type(row) is not list or [type(item) for item in row] != [str, str] for row in value
    ):
        raise WireError("a list of names is malformed")
    return tuple((name, words[:MAX_WORDS]) for name, words in value[:MAX_TOLD])
