"""How many derivations are read and judged as they should be: ``make derivations``.

Right ones in many notations must be accepted, and a pending one is a cost. Wrong ones, with one
mistake each, must lose points on the formula that is wrong, and the cause should be named.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.derivation_mistakes import NAMES, wrong_versions
from benchmarks.derivation_notations import one_at_a_time, several_at_once
from benchmarks.derivation_writeups import Notation, written
from tests.latexgrad.tasks import Found, run

WHOLE = 1 - 1e-9


def outcome(found: Found) -> str:
    """Return accepted, pending or lost."""
    if found.pending is not None:
        return "pending"
    return "accepted" if found.judgement is not None and found.earned > WHOLE else "lost"


def right_ones(notations: Sequence[Notation], title: str, *, verbose: bool) -> Counter[str]:
    """Print and return how right derivations in some notations come out."""
    counts: Counter[str] = Counter()
    seconds: list[float] = []
    for notation in notations:
        for part in notation.parts:
            text = written(part, notation)
            started = time.process_time()
            found = run(part, text, "derivations.md")
            seconds.append(time.process_time() - started)
            state = outcome(found)
            counts[state] += 1
            if verbose and state != "accepted":
                said = found.pending or found.failure or found.lost
                print(f"  {state}: {part}, {notation.name}: {said}")
    print(
        f"{title}: {len(notations)} notations, {counts.total()} parts: "
        f"{counts['accepted']} accepted, {counts['pending']} pending, {counts['lost']} lost; "
        f"median {statistics.median(seconds):.3f} s, at most {max(seconds):.3f} s"
    )
    return counts


def wrong_ones(*, verbose: bool) -> Counter[str]:
    """Print and return how derivations with one mistake come out."""
    counts: Counter[str] = Counter()
    for part, notation, mistake, quantity in wrong_versions():
        counts["all"] += 1
        found = run(part, written(part, notation, mistake, quantity), "derivations.md")
        state = outcome(found)
        caught = state == "lost" and _caught(found, quantity)
        counts["wrong accepted" if state == "accepted" else state] += 1
        counts["on the formula"] += caught
        named = caught and _named(found, mistake.causes)
        counts["cause named"] += named
        if verbose and not named:
            said = found.pending or found.failure or found.lost
            print(f"  {state}: {part}, {notation.name}, {mistake.name} in {quantity}: {said}")
    print(
        f"with one mistake: {counts['all']}: {counts['wrong accepted']} accepted, "
        f"{counts['pending']} pending, {counts['lost']} lost; {counts['on the formula']} on the "
        f"formula that is wrong, {counts['cause named']} with the cause named"
    )
    return counts


def _caught(found: Found, quantity: str) -> bool:
    if found.judgement is None:
        return False
    name = NAMES.get(quantity)
    return any(name is None or rf"\partial {name}" in lost for lost in found.lost)


def _named(found: Found, causes: Sequence[str]) -> bool:
    if found.judgement is None:
        return False
    kinds = {part.cause.id.removeprefix("formula.") for part in found.judgement.parts if part.cause}
    return bool(kinds & set(causes))


def main() -> int:
    """Print the figures; return 1 if a right derivation loses points or a wrong one earns all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--verbose", action="store_true", help="name what is not as it should be")
    parser.add_argument("--several", type=int, default=150, help="notations with several changes")
    options = parser.parse_args()
    run("q3.5", "")  # what is read once
    one = right_ones(list(one_at_a_time()), "one change", verbose=options.verbose)
    drawn = list(several_at_once(options.several))
    several = right_ones(drawn, "several changes", verbose=options.verbose)
    wrong = wrong_ones(verbose=options.verbose)
    return bool(one["lost"] + several["lost"] + wrong["wrong accepted"])


if __name__ == "__main__":
    sys.exit(main())
