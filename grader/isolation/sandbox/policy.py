"""What a grading run demands of isolation, and what a server is allowed to grade with."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from grader.errors import IsolationError

from .contract import LEVELS, IsolationLevel, Level, canary
from .server import ForkServer

EVERY_LAYER = (
    "environment", "rlimits", "no_new_privs", "namespaces", "setuid", "landlock", "seccomp",
)  # fmt: skip


@dataclass(frozen=True)
class Policy:
    """What a grading run demands.

    Attributes:
        least: the level below which nothing is graded.
        hidden: files that no worker may read; the canary tries to.
        locked: False to put on no layer at all, which only ``--isolation none`` does.
        accelerator: whether workers may use the machine's.
    """

    least: Level = "full"
    hidden: tuple[Path, ...] = ()
    locked: bool = True
    accelerator: bool = False

    @property
    def without(self) -> Collection[str]:
        """The layers that are left out on purpose."""
        return () if self.locked else EVERY_LAYER

    def admit(self, server: ForkServer) -> IsolationLevel:
        """Try out what ``server`` stops.

        Raises:
            IsolationError: it is less than was asked for.
            BrokenError: it could not be tried out.
        """
        verdict = canary(server, self.hidden)
        if LEVELS.index(verdict.level) > LEVELS.index(self.least):
            open_doors = ", ".join(finding.attack.name for finding in verdict.open)
            reasons = "; ".join(f"{layer}: {why}" for layer, why in server.missing.items())
            raise IsolationError(
                f"isolation on this machine is {verdict.level!r}, {self.least!r} was asked for: "
                f"nothing is graded. Not stopped: {open_doors}. "
                + (f"Missing layers: {reasons}. " if reasons else "")
                + "`grader doctor` explains what to do; --isolation LEVEL asks for less."
            )
        return verdict
