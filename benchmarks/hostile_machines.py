"""Grades every hostile example on three kinds of machine, and writes the table of docs/security.md.

Run as root: ``python benchmarks/hostile_machines.py [--only PATTERN]`` (twelve minutes). The
machines are made out of this one (``tests/machines.py``). Exits with 1 if an example gains a point,
or if anything else is wrong on any of them; the table is only replaced after a whole run.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests import machines  # noqa: E402

KINDS = {"root": "root", "user": "plain user", "container": "root in a container"}
PAGE = ROOT / "docs" / "security.md"
BEGIN, END = "<!-- hostile: begin -->", "<!-- hostile: end -->"


def main() -> None:
    """Run all machines, print what is wrong, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="*", metavar="PATTERN", help="names below hostile/")
    only = parser.parse_args().only
    found: dict[str, dict[str, Any]] = {}
    status = 0
    for kind, title in KINDS.items():
        why = machines.lacking(kind)
        if why is not None:
            sys.exit(f"{kind}: {why}")
        with tempfile.TemporaryDirectory(prefix="machine-") as name:
            place = Path(name)
            place.chmod(0o777)
            print(f"== {title}", flush=True)
            script = ROOT / "benchmarks" / "hostile.py"
            words = [script, "--only", only, "--json", place / "rows.json"]
            environment = {
                "PATH": "/usr/bin:/bin", "HOME": name, "TMPDIR": name, "OMP_NUM_THREADS": "1",
                "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            }  # fmt: skip
            ran = subprocess.run(
                machines.command(kind, sys.executable, *words),
                cwd=place, env=environment, check=False,
            )  # fmt: skip
            status = status or ran.returncode
            if not (place / "rows.json").is_file():
                sys.exit(f"{title}: ended with status {ran.returncode} and no result")
            found[kind] = json.loads((place / "rows.json").read_text())
    text = table(found)
    print(text.splitlines()[-1])
    if only == "*":
        page = PAGE.read_text(encoding="utf-8")
        before, _, rest = page.partition(BEGIN)
        _, _, after = rest.partition(END)
        PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")
    sys.exit(status)


def table(found: dict[str, dict[str, Any]]) -> str:
    """Return the rows of all machines as one Markdown table with a summary in its last line."""
    by_name: dict[str, dict[str, Any]] = {}
    for kind, one in found.items():
        for row in one["rows"]:
            by_name.setdefault(row["name"], {})[kind] = row
    today = datetime.now(timezone.utc).date().isoformat()
    intro = (
        f"`make hostile`, {today}, Linux {platform.release().partition('-')[0]}, Python "
        f"{platform.python_version()}. Points gained beyond the honest part of the submission; "
        "each was followed by an honest submission, graded as ever, and left nothing behind."
    )
    titles = " | ".join(KINDS[kind] for kind in found)
    lines = [
        intro,
        "",
        f"| example | what it tries | {titles} | what became of it |",
        f"|---|---|{'---:|' * len(found)}---|",
    ]
    for name, rows in sorted(by_name.items()):
        gained = [f"{rows[kind]['gained']:g}" if kind in rows else "?" for kind in found]
        fates = dict.fromkeys(row["fate"] for row in rows.values())
        problems = [problem for row in rows.values() for problem in row["problems"]]
        fate = " / ".join(fates) + "".join(f"; **{problem}**" for problem in problems)
        tries = next(iter(rows.values()))["tries"].replace("|", "\\|")
        lines.append(f"| `{name}` | {tries} | {' | '.join(gained)} | {fate} |")
    summaries = []
    for kind, one in found.items():
        points = sum(row["gained"] for row in one["rows"])
        wrong = sum(bool(row["problems"]) for row in one["rows"])
        level = f"isolation {one['isolation'][0]}, {one['isolation'][1]}"
        summaries.append(
            f"{KINDS[kind]}: {len(one['rows'])} examples gained {points:g} points, {wrong} with a "
            f"problem ({level})"
        )
    return "\n".join([*lines, "", f"{'; '.join(summaries)}."])


if __name__ == "__main__":
    main()
