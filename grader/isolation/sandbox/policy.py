"""What isolation a grading run requires, and which servers may be used for it."""

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
    """What a grading run requires.

    Attributes:
        least: the level below which nothing is graded.
        hidden: files that no worker may read; the canary tries to.
        locked: False for no layer at all, which only ``--isolation none`` does.
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
        """Test what ``server`` stops.

        Raises:
            IsolationError: it is less than required.
            BrokenError: it could not be tested.
        """
        verdict = canary(server, self.hidden)
        if LEVELS.index(verdict.level) > LEVELS.index(self.least):
            open_doors = ", ".join(finding.attack.name for finding in verdict.open)
            reasons = "; ".join(f"{layer}: {why}" for layer, why in server.missing.items())
            raise IsolationError(
                f"isolation on this machine is {verdict.level!r}, but {self.least!r} is required: "
                f"nothing was graded. Not stopped: {open_doors}. "
                + (f"Missing layers: {reasons}. " if reasons else "")
                + "Run `grader doctor` to see what to do, or accept less with --isolation LEVEL."
            )
        return verdict
