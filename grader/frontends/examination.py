"""``grader doctor``: what this machine protects from student code, tried out and explained."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from grader.assignment.rubric import load_rubric
from grader.checks import KINDS
from grader.isolation.sandbox import ForkServer, IsolationLevel, contract
from grader.job import Settings

LAYERS = {
    "process": "a separate process for every check, without the grader's files or secrets",
    "environment": "an empty environment",
    "rlimits": "limits of memory, processor time, files and threads",
    "no_new_privs": "no program can gain privileges",
    "namespaces": "a root folder with only the libraries and the submission; no network",
    "setuid": "a separate user for student code",
    "landlock": "files: reads the libraries and the submission, writes nothing",
    "seccomp": "system calls: no processes, sockets, signals, shared memory or privileges",
}
REMEDIES = {
    "namespaces": "Allow user namespaces (sysctl kernel.unprivileged_userns_clone=1, or "
    "kernel.apparmor_restrict_unprivileged_userns=0), or run as root outside of a container. "
    "Containers do not have them, and full isolation does not need them.",
    "setuid": "Only root can change the user. Without root, the other layers keep student code "
    "away from your processes.",
    "landlock": "Use Linux 5.13 or newer with landlock among the modules of "
    "/sys/kernel/security/lsm (kernel parameter lsm=landlock,...).",
    "seccomp": "Use a kernel with CONFIG_SECCOMP_FILTER, on x86_64 or aarch64.",
}
CLOSED_FOLDER = (
    "Python or the temporary folder is inside a folder that other users cannot enter: install "
    "Python elsewhere, or chmod o+x that folder."
)
READABLE = (
    "Hidden files can be read. Keep the assignment and its data in a folder that only the "
    "grader's user can enter (chmod 700), and grade as root or with Landlock or namespaces."
)
ABOUT = {
    "full": "Student code cannot read hidden files, reach other processes or leave traces.",
    "partial": "Limits hold, but some attacks succeed: a student who knows them can cheat. "
    "Grading needs --isolation partial.",
    "none": "Student code can do what you can. Grading needs --isolation none --unsafe.",
}


@dataclass(frozen=True)
class Examination:
    """What was found: the verdict, the layers in force, and why others are not."""

    verdict: IsolationLevel
    layers: tuple[str, ...]
    missing: dict[str, str]


def examine(rubric: Path | None, data: Path | None) -> Examination:
    """Start a fork server as grading does, and try every attack of the contract.

    Args:
        rubric: the rubric whose files the attacks are to reach for; None for a stand-in.
        data: the folder with the homework's own data, if there is one.

    Raises:
        RubricError: the rubric has problems.
        BrokenError: the server does not start, or the attacks cannot be tried.
    """
    hidden = () if rubric is None else Settings(data=data).policy(load_rubric(rubric, KINDS)).hidden
    with tempfile.TemporaryDirectory(prefix="grader-") as name:
        staging = Path(name) / "staging"
        staging.mkdir()
        for folder in (staging, staging.parent):
            folder.chmod(0o711)
        with ForkServer((), staging) as server:
            verdict = contract.full_suite(server, hidden)
            return Examination(verdict, tuple(server.isolation), server.missing)


def table(found: Examination) -> Group:
    """Return what was found as tables with advice."""
    layers = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for title in ("layer", "here", "what it does"):
        layers.add_column(title, overflow="fold")
    here = {layer.split()[0]: layer for layer in found.layers}
    for layer, about in LAYERS.items():
        state = Text("yes", "green") if layer in here else Text("no", "yellow")
        layers.add_row(here.get(layer, layer), state, about)
    attacks = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for title in ("protects", "attack", "stopped", "what it tried"):
        attacks.add_column(title, overflow="fold")
    for finding in sorted(found.verdict.findings, key=lambda finding: finding.attack.aim):
        told_only = finding.attack.needed_for is None
        bad = Text("no (only told)", "yellow") if told_only else Text("NO", "bold red")
        state = Text("yes", "green") if finding.stopped else bad
        attacks.add_row(finding.attack.aim, finding.attack.name, state, finding.attack.text)
    level = found.verdict.level
    style = {"full": "bold green", "partial": "bold yellow", "none": "bold red"}[level]
    stopped = sum(finding.stopped for finding in found.verdict.findings)
    lines = [
        Text(f"isolation: {level}", style),
        Text(f"{stopped} of {len(found.verdict.findings)} attacks stopped. {ABOUT[level]}"),
        *(Text(line) for line in advice(found)),
    ]
    return Group(layers, Text(), attacks, Text(), *lines)


def advice(found: Examination) -> list[str]:
    """Return what could be done for each layer that is missing, and for files that are open."""
    lines = []
    for layer, why in found.missing.items():
        closed = layer == "setuid" and os.geteuid() == 0
        remedy = CLOSED_FOLDER if closed else REMEDIES.get(layer, "")
        lines.append(f"{layer} is missing: {why}. {remedy}")
    if any(finding.attack.aim == contract.FILES for finding in found.verdict.open):
        lines.append(READABLE)
    return lines


def as_json(found: Examination) -> dict[str, Any]:
    """Return what was found for scripts."""
    return {
        "level": found.verdict.level,
        "layers": list(found.layers),
        "missing": found.missing,
        "attacks": [
            {
                "name": finding.attack.name,
                "protects": finding.attack.aim,
                "needed_for": finding.attack.needed_for,
                "stopped": finding.stopped,
                "detail": finding.detail,
            }
            for finding in found.verdict.findings
        ],
        "advice": advice(found),
    }
