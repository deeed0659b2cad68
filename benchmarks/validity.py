"""Is the rubric valid? Wrong programs lose points, right ones none, every loss can be seen again.

``make validity`` runs the parts below, each of minutes to an hour, and writes ``docs/validity.md``.
A part that is done is kept in ``build/validity`` with the commit that it ran on, and is not run
again: stop it at any time and call it again. Name parts to run these only; ``--again`` runs them
although they are done, ``--page`` only writes the page.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import validity_page

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "build" / "validity"
PAGE = ROOT / "docs" / "validity.md"
MUTANTS = "mutants.json"
DONE, OUTPUT = "done.json", "output.txt"
PICTURES = ("margins.svg", "thresholds.svg")
FINE = (0, 1)  # exit statuses of a part that ran: 1 says that something was found


@dataclass(frozen=True)
class Part:
    """One command; ``{out}`` among its words stands for the folder of what it keeps."""

    name: str
    group: str
    command: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """Where its results are kept."""
        return KEPT / self.name


def mutants(
    name: str, sample: int, *programs: str, more: Sequence[str] = (), seed: int = 1
) -> Part:
    """Return a part that grades mutants of programs."""
    words = ("grader", "verify", "--mutants", *programs, "--sample", str(sample))
    words += ("--sample-seed", str(seed), *more, "--out", "{out}")
    group = "pairs" if "--pairs" in more else "causes" if "--seed" in more else "mutants"
    return Part(name, group, words)


def rewrites(name: str, sample: int, *programs: str) -> Part:
    """Return a part that grades right programs in other words."""
    words = ("grader", "verify", "--rewrites", *programs, "--sample", str(sample))
    return Part(name, "rewrites", (*words, "--sample-seed", "1", "--out", "{out}"))


def of_all(module: str) -> list[str]:
    """Return the patterns for one module of the whole right programs and of the reference."""
    programs = ("reference", "full_marks/plain", "full_marks/loop", "full_marks/vectorised")
    return [f"{program}/{module}" for program in programs]


LOSSES = [f"{file}:{name}" for file in of_all("style_transfer.py") for name in
          ("content_loss", "gram_matrix", "style_loss", "tv_loss")]  # fmt: skip
NEAR = (  # the wrong ones that come nearest to right programs in each training check
    *("wrong/finetune_without_pretraining", "wrong/freeze_without_pretraining"),
    "wrong/style_ten_steps",
    *("wrong/bow_gradients_not_cleared", "wrong/average_embeddings_frozen"),
    *("wrong/average_glove_vectors_off_by_one", "wrong/rnn_state_after_padding"),
    "wrong/lstm_state_after_padding",
)
WHOLE = [word for name in (*(f"full_marks/{name}" for name in ("plain", "loop", "vectorised")),
         *NEAR) for word in ("--example", name)]  # fmt: skip
PARTS = (
    mutants("layers-reference", 1600, "reference/rnn_layers.py"),
    mutants("layers-plain", 1000, "full_marks/plain/rnn_layers.py"),
    mutants("layers-loop", 1000, "full_marks/loop/rnn_layers.py"),
    mutants("layers-vectorised", 800, "full_marks/vectorised/rnn_layers.py"),
    mutants("captioning", 700, *of_all("rnn.py")),
    mutants("losses", 600, *LOSSES),
    mutants("transfer", 30, *of_all("transfer_learning.py")),
    mutants("style", 15, *(f"{file}:style_transfer" for file in of_all("style_transfer.py"))),
    mutants("classification", 30, *of_all("text_classification.py")),
    mutants("causes-other-seed", 400, "full_marks/loop/rnn_layers.py", more=["--seed", "4711"]),
    mutants("pairs", 200, *of_all("rnn_layers.py"), more=["--pairs"]),
    rewrites("rewrites-layers", 700, *of_all("rnn_layers.py")),
    rewrites("rewrites-captioning", 250, *of_all("rnn.py")),
    rewrites("rewrites-losses", 100, *LOSSES),
    rewrites("rewrites-training", 20, *of_all("transfer_learning.py"),
             *of_all("text_classification.py")),
    Part("replays", "replays", ("python", "benchmarks/replays.py")),
    Part("tolerances", "tolerances", ("grader", "calibrate", "q2.[1-4]", "q3.*", "q4.*", "q5.[1-6]",
                                      "--seeds", "5", "--out", "{out}")),
    Part("untrained", "untrained", ("python", "benchmarks/untrained.py", "--seeds", "30",
                                    "--keep", "{out}/runs.json")),
    Part("thresholds", "thresholds", ("grader", "calibrate", "q1.*", "q2.5", "q5.[78]", "q5.10",
                                      "q6.[1-5]", "--seeds", "30", *WHOLE, "--out", "{out}")),
)  # fmt: skip


def main() -> None:
    """Run what is not done, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help="; ".join(p.name for p in PARTS))
    parser.add_argument("--again", action="store_true", help="run them although they are done")
    parser.add_argument("--page", action="store_true", help="only write the page")
    parser.add_argument("--jobs", type=int, help="submissions at a time")
    options = parser.parse_args()
    known = {part.name: part for part in PARTS}
    for name in options.parts:
        if name not in known:
            parser.error(f"{name}: no such part (there are {', '.join(known)})")
    good = True
    for part in [] if options.page else [known[n] for n in options.parts] or PARTS:
        if options.again or not (part.folder / DONE).is_file():
            good &= ran(part, options.jobs)
    write_page()
    sys.exit(0 if good else 1)


def ran(part: Part, jobs: int | None) -> bool:
    """Run a part and keep its results; say whether it came to its end."""
    part.folder.mkdir(parents=True, exist_ok=True)
    shown = [word.format(out=os.path.relpath(part.folder, ROOT)) for word in part.command]
    program = [sys.executable, "-m", "grader"] if shown[0] == "grader" else [sys.executable]
    command = program + shown[1:]
    if jobs is not None and shown[0] == "grader":
        command += ["--jobs", str(jobs)]
    print(f"{part.name}: {' '.join(shown)}", file=sys.stderr, flush=True)
    started = time.monotonic()
    environment = {**os.environ, "COLUMNS": "150"}
    with (part.folder / OUTPUT).open("wb") as output:
        status = subprocess.run(
            command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, check=False,
            env=environment,
        ).returncode  # fmt: skip
    seconds = time.monotonic() - started
    if status not in FINE:
        print(f"{part.name}: exit status {status}; see {part.folder / OUTPUT}", file=sys.stderr)
        return False
    done = {
        "command": " ".join(shown),
        "commit": revision(),
        "date": datetime.now(timezone.utc).date().isoformat(),
        "seconds": round(seconds),
    }
    (part.folder / DONE).write_text(json.dumps(done), encoding="utf-8")
    return True


def revision() -> str:
    """Return the commit that is checked out."""
    command = ["git", "rev-parse", "--short", "HEAD"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def write_page() -> None:
    """Write the page of all parts that are done, with the plots of calibration beside it."""
    results: list[validity_page.PartResult] = []
    for part in PARTS:
        if not (part.folder / DONE).is_file():
            continue
        done = json.loads((part.folder / DONE).read_text(encoding="utf-8"))
        rows: list[dict[str, Any]] = []
        if (part.folder / MUTANTS).is_file():
            rows = json.loads((part.folder / MUTANTS).read_text(encoding="utf-8"))
        output = (part.folder / OUTPUT).read_text(encoding="utf-8", errors="replace")
        page = part.folder / "calibration.md"
        text = page.read_text(encoding="utf-8") if page.is_file() else output
        results.append(validity_page.PartResult(part.name, part.group, done, rows, text))
        for name in PICTURES:
            if (part.folder / name).is_file():
                pictures = PAGE.with_suffix("")
                pictures.mkdir(exist_ok=True)
                shutil.copy(part.folder / name, pictures / name)
    left = [part.name for part in PARTS if not (part.folder / DONE).is_file()]
    PAGE.write_text(validity_page.written(results, left), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
