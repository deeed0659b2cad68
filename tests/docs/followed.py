"""Following a page: its files are written, its commands run, and what they print is compared."""

import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import STATE

BLOCK = re.compile(
    r"(?:^\*\*`(?P<path>[^`\n]+)`\*\*(?P<append>, at the end)?:\n\n)?"
    r"^```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
STATUS = re.compile(r"# exit status (\d+)$")
BLANK_LINES = {".py": "\n\n", ".yaml": "\n"}  # before what is added at the end of a file
TIMEOUT_S = 120


@dataclass(frozen=True)
class Step:
    """A file to write, or (without a path) commands with the output that is shown for them."""

    path: str
    append: bool
    text: str

    def commands(self):
        """Yield each command with the text shown below it."""
        for part in re.split(r"^\$ ", self.text, flags=re.MULTILINE)[1:]:
            command, _, shown = part.partition("\n")
            yield command, shown


def steps_of(page):
    return [Step(m["path"] or "", bool(m["append"]), m["text"]) for m in BLOCK.finditer(page)]


def same(shown, printed):
    """Say whether a text is as shown; ``...`` is anything in a line, or any lines."""
    pattern = "".join(
        "(?:.*\n)*?" if line.strip() == "..." else re.escape(line).replace(r"\.\.\.", ".*") + "\n"
        for line in shown.splitlines()
    )
    found = "".join(f"{line.rstrip()}\n" for line in printed.splitlines())
    return re.fullmatch(pattern, found) is not None


def write(folder, step):
    file = folder / step.path
    if step.append:
        old = file.read_text(encoding="utf-8")
        file.write_text(old + BLANK_LINES[file.suffix] + step.text, encoding="utf-8")
        return
    assert not file.exists(), f"{step.path} is shown twice"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(step.text, encoding="utf-8")


def secret_seed():
    """Return a file with the same secret seed as ever, so that the same numbers are printed."""
    path = Path(STATE.name) / "pages.seed"
    path.write_text("00112233445566778899aabbccddeeff\n", encoding="ascii")
    path.chmod(0o600)
    return path


def run(folder, command):
    """Run a command with the grader of this environment.

    Returns:
        its exit status, what it prints, and the folder that it ends in.
    """
    environment = {name: value for name, value in os.environ.items() if name != "GRADER_DATA"}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    environment |= {"OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    environment |= {"GRADER_SEED_FILE": str(secret_seed())}
    environment.pop("GRADER_SEED", None)
    with tempfile.NamedTemporaryFile("r", encoding="utf-8") as ended_in:
        ran = subprocess.run(
            ["bash", "-c", f"{command}\nstatus=$?; pwd > {ended_in.name}; exit $status"],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        return ran.returncode, ran.stdout, Path(ended_in.read().strip() or folder)


def follow(page, folder, before=None):
    """Follow a page in a folder; return the commands that ended or printed otherwise.

    Args:
        page: its text. Blocks without a path whose lines do not begin with ``$`` are not run.
        folder: where its files are written and its commands run; ``cd`` moves on from there.
        before: what happens, unseen by the reader, before a command: functions of the folder, by
            the command as it is shown.
    """
    wrong = []
    at = folder
    for step in steps_of(page):
        if step.path:
            write(at, step)
            continue
        for command, shown in step.commands():
            if before and command in before:
                before[command](at)
            status, printed, at = run(at, command)
            expected = STATUS.search(command)
            if status != int(expected[1] if expected else 0) or not same(shown, printed):
                wrong.append(f"$ {command}\n{printed}(exit status {status})")
    return wrong
