"""The page of ``benchmarks/validity.py``: what was found, with each survivor."""

from __future__ import annotations

import platform
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

HEADINGS = {
    "mutants": "Programs with one mistake",
    "causes": "Causes",
    "pairs": "Programs with two mistakes",
    "rewrites": "Right programs in other words",
    "replays": "Every loss again",
    "tolerances": "Margins of tolerances",
    "thresholds": "Thresholds of training checks",
    "untrained": "Networks that learned nothing",
}
GOALS = {
    "mutants": (
        "Every mutant differs in one place from a program with full marks. It is equivalent if it "
        "computes the same on other seeds and sizes, or stands in `equivalent_mutants.yaml` with a "
        "reason. Goals: 99.5 % of the others killed, 98 % by the check of their function, 97 % "
        "paid once (no check of another function loses points)."
    ),
    "causes": (
        "The catalogue of mistakes was made from the reference and from `plain`. Here it meets "
        "mutants of `loop`, each graded twice, with other data: a cause that the other data do not "
        "confirm was named wrongly. Of mutants that raise, the error with its line is the cause. "
        "Goals: 80 % named, 1 % wrongly."
    ),
    "pairs": (
        "Two changes in two functions of a program. Each is graded alone, too: a pair counts if "
        "each of the two loses points alone. A change is named if the report on both names a cause "
        "that the change has alone, in a check that is about it: its function's own, or that of "
        "the gradient which reads what the function keeps. One cause of one check names one "
        "change. A change is hidden if each check that is about it ends with an error of the other "
        "one, or waits for a person because of it: who fixes the error sees it with the next run. "
        "Goal: both named in 60 %, the hidden ones counted as not named."
    ),
    "rewrites": "None may lose a point, on any of the seeds. Goal: 1,000 programs.",
    "replays": "`grader replay` of every failing check of values of the wrong examples.",
    "tolerances": "",
    "thresholds": "",
    "untrained": (
        "Networks as they are before any training, and how often, with 95 % confidence at most, "
        "their metric is beyond the threshold of the first point. Goal: 1 in 10,000. In q1 a drawn "
        "head over trained features can be right by luck, so that the metric alone pays for "
        "nothing there: training must have moved the head."
    ),
}
NAMED = {
    "both": "both changes",
    "hidden": "one, which hides the other",
    "one": "one, though the other is seen",
    "none": "none",
}
MAX_LISTED = 60


@dataclass(frozen=True)
class PartResult:
    """What a part found: how it was run, the fates of programs, its output."""

    name: str
    group: str
    done: dict[str, Any]
    rows: list[dict[str, Any]]
    text: str


def written(results: Sequence[PartResult], left: Sequence[str]) -> str:
    """Return the page."""
    return "\n".join(_lines(results, left)) + "\n"


def _lines(results: Sequence[PartResult], left: Sequence[str]) -> Iterator[str]:
    yield "# Validity"
    yield ""
    yield "Wrong programs must lose points where they are wrong, right ones none, and every loss"
    yield "must be seen again when it is replayed. `make validity` measures it, part by part, and"
    yield "writes this page."
    versions = ", ".join(f"{name} {version(name)}" for name in ("numpy", "torch", "scipy"))
    yield f"Python {platform.python_version()}, {versions}."
    if left:
        yield ""
        yield f"Not run yet: {', '.join(left)}."
    for group, heading in HEADINGS.items():
        parts = [one for one in results if one.group == group]
        if not parts:
            continue
        yield from ["", f"## {heading}", ""]
        if GOALS[group]:
            yield from [GOALS[group], ""]
        yield from _SECTIONS[group](parts, results)
        yield ""
        for one in parts:
            done = one.done
            yield f"- {done['date']}, {done['commit']}, {done['seconds']} s: `{done['command']}`"


def _mutants(parts: Sequence[PartResult], _all: Sequence[PartResult]) -> Iterator[str]:
    heads = ("program", "mutants", "equivalent", "killed", "by their own check", "paid once",
             "cause named", "to a person")  # fmt: skip
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for one in parts:
        for row in one.rows:
            groups[f"{row['program']}/{row['module']}"].append(row)
    every = [row for one in parts for row in one.rows]
    for name, rows in [*sorted(groups.items()), ("all", every)]:
        yield f"| {name} | {' | '.join(_figures(rows))} |"
    yield from _survivors(every)


def _figures(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    same = sum(row["fate"] in ("equivalent", "listed") for row in rows)
    killed = [row for row in rows if row["fate"] == "killed"]
    yield str(len(rows))
    yield str(same)
    yield _share(len(killed), len(rows) - same)
    for key in ("by_own", "once", "has_cause"):
        yield _share(sum(row[key] for row in killed), len(killed))
    yield str(sum(row["fate"] == "pending" for row in rows))


def _survivors(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    alive = [row for row in rows if row["fate"] in ("alive", "broken")]
    yield ""
    if not alive:
        yield "No survivor."
        return
    yield f"{_count(len(alive), 'survivor')}:"
    yield ""
    for row in alive[:MAX_LISTED]:
        changed = [line for line in row["diff"].splitlines() if line[:1] in "+-"]
        shown = " becomes ".join(f"`{line[1:].strip()}`" for line in changed[:2])
        why = f" ({row['why']})" if row["why"] else ""
        yield f"- {row['program']}/{row['module']}:{row['line']} {row['function']}: {shown}{why}"
    if len(alive) > MAX_LISTED:
        yield f"- and {len(alive) - MAX_LISTED} more"


def _causes(parts: Sequence[PartResult], every: Sequence[PartResult]) -> Iterator[str]:
    """Compare the causes of each mutant on two sets of data."""
    first = {_key(row): row for one in every if one.group == "mutants" for row in one.rows}
    pairs = [(first[_key(row)], row) for one in parts for row in one.rows if _key(row) in first]
    killed = [(a, b) for a, b in pairs if a["fate"] == b["fate"] == "killed"]
    named = [(a, b) for a, b in killed if a["has_cause"]]
    wrong = [(a, b) for a, b in named if not _confirmed(a, b)]
    yield (
        f"{len(killed)} mutants were killed on both data; a cause is named for {len(named)} "
        f"({_share(len(named), len(killed))}), and not confirmed by the other data for "
        f"{len(wrong)} ({_share(len(wrong), len(named))})."
    )
    yield ""
    for a, b in wrong[:MAX_LISTED]:
        changed = [line for line in a["diff"].splitlines() if line[:1] in "+-"]
        shown = " becomes ".join(f"`{line[1:].strip()}`" for line in changed[:2])
        yield f"- {a['function']}: {shown}: {a['causes']} and {b['causes']}"


def _confirmed(a: dict[str, Any], b: dict[str, Any]) -> bool:
    return all(set(a["causes"][c]) & set(b["causes"].get(c, [])) for c in a["causes"])


def _key(row: dict[str, Any]) -> tuple[str, ...]:
    return row["program"], row["module"], row["function"], str(row["line"]), row["diff"]


def _pairs(parts: Sequence[PartResult], _all: Sequence[PartResult]) -> Iterator[str]:
    every = [row for one in parts for row in one.rows]
    rows = [row for row in every if row["named"] != "no pair"]
    killed = sum(row["fate"] == "killed" for row in rows)
    yield (
        f"{_count(len(every), 'program')} with two changes. {len(every) - len(rows)} of them "
        "hold a change that loses no points alone (it computes the same, or nearly so): there is "
        f"nothing to name. Of the other {len(rows)} pairs {killed} lose points."
    )
    yield ""
    yield "| a cause is named for | pairs | of all | without the hidden ones |"
    yield "|---|---|---|---|"
    seen = sum(row["named"] != "hidden" for row in rows)
    for key, words in NAMED.items():
        count = sum(row["named"] == key for row in rows)
        rest = _share(count, seen) if key != "hidden" else ""
        yield f"| {words} | {count} | {_share(count, len(rows))} | {rest} |"
    yield from _survivors(rows)


def _rewrites(parts: Sequence[PartResult], _all: Sequence[PartResult]) -> Iterator[str]:
    rows = [row for one in parts for row in one.rows]
    lost = [row for row in rows if row["fate"] == "killed"]
    waits = [row for row in rows if row["fate"] == "pending"]
    loses, wait = "loses" if len(lost) == 1 else "lose", "waits" if len(waits) == 1 else "wait"
    yield (
        f"{_count(len(rows), 'program')}: {len(lost)} {loses} points, {len(waits)} {wait} for a "
        "person."
    )
    for row in [*lost, *waits][:MAX_LISTED]:
        checks = ", ".join(row["lost"])
        yield f"- {row['program']}/{row['module']}:{row['line']} {row['function']}: {checks}"


def _output(parts: Sequence[PartResult], _all: Sequence[PartResult]) -> Iterator[str]:
    for one in parts:
        yield "```text"
        yield one.text.strip().splitlines()[-1]
        yield "```"


def _table(parts: Sequence[PartResult], _all: Sequence[PartResult]) -> Iterator[str]:
    for one in parts:
        yield from (line for line in one.text.splitlines() if line.startswith("|"))
        yield ""


def _calibration(parts: Sequence[PartResult], _all: Sequence[PartResult]) -> Iterator[str]:
    for one in parts:
        for line in one.text.splitlines():
            if line.startswith("## Changes"):
                yield "Changes to the rubric that follow:"
            elif not line.startswith("## "):
                yield line.replace("](", "](validity/")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"


_SECTIONS = {
    "mutants": _mutants,
    "causes": _causes,
    "pairs": _pairs,
    "rewrites": _rewrites,
    "replays": _output,
    "tolerances": _calibration,
    "thresholds": _calibration,
    "untrained": _table,
}
