"""The command line; each command has a file in ``grader/frontends/commands/``.

Exit status: 0 graded, 1 graded but ``check`` or ``verify`` found failures, 2 usage or rubric error,
3 broken (the grader failed and at least one grade is withheld).
"""

from __future__ import annotations

import gc
import importlib
import os
import sys
from typing import Any

from grader.frontends import interrupts

interrupts.end_at_once()
try:
    import click
except ModuleNotFoundError as error:  # run from its folder, not from where it was installed
    _remedy = "install the grader with pip, and run it with that Python"
    sys.stderr.write(f"error: {error.name!r} is not installed here: {_remedy}\n")
    raise SystemExit(2) from None

# Before numpy is imported anywhere: a pool of threads per process is slower for small arrays, and
# grading runs as many processes as there are cores.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

from grader import __version__, extras  # noqa: E402
from grader.frontends import streams  # noqa: E402

EXIT_BROKEN = 3
# The reports of a class are many objects without circles among them: to look for circles as often
# as Python does by itself takes a quarter of the time in which they are read.
OBJECTS_BETWEEN = (50_000, 50, 100)

# The name of a command's object in its module of grader/frontends/commands/.
COMMANDS = {
    "bundle": "bundle_command",
    "calibrate": "calibrate_command",
    "check": "check",
    "diff": "diff_command",
    "doctor": "doctor_command",
    "export": "export_command",
    "grade": "grade",
    "gradescope": "gradescope_command",
    "mark": "mark_command",
    "merge": "merge_command",
    "new": "new_command",
    "replay": "replay_command",
    "similarity": "similarity_command",
    "verify": "verify_command",
}
# Those that the plain installation has; the others need the extra ``grading``.
AT_HOME = frozenset(["check", "new", "replay"])


class Commands(click.Group):
    """Imports a command when it is asked for: ``check`` needs little and must be quick.

    Its help lists the commands that can be used here; those that cannot are named below.
    """

    def main(self, *arguments: Any, **options: Any) -> Any:
        """Run a command. What cannot be printed ends in one sentence."""
        gc.set_threshold(*OBJECTS_BETWEEN)
        streams.open_closed()
        try:
            return super().main(*arguments, **options)
        except OSError as error:
            unwritten = streams.unwritten(error)
            if unwritten is None:
                raise
            click.echo(f"broken: {unwritten}", err=True)
            raise SystemExit(EXIT_BROKEN) from None

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        del ctx
        return list(COMMANDS)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Name the commands that cannot be used here, and what they need."""
        hidden: dict[str, list[str]] = {}
        for name in COMMANDS:
            command = self.get_command(ctx, name)
            if command is not None and command.hidden:
                hidden.setdefault(command.short_help or "", []).append(name)
        for why, names in hidden.items():
            formatter.write_paragraph()
            formatter.write_text(f"{why}: {', '.join(names)}.")

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command; for a name that is none, suggest the one that looks like it."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            from grader.readers.texts import did_you_mean, quoted

            ctx.fail(f"no such command: {quoted(name)}{did_you_mean(name, list(COMMANDS))}")
        return super().resolve_command(ctx, args)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by its name."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        absent = () if cmd_name in AT_HOME else extras.absent()
        if absent:
            short = f"Not for students; {extras.REMEDY}"
            return _unusable(cmd_name, extras.needs(absent), extras.REMEDY, short)
        try:
            module = importlib.import_module(f"grader.frontends.commands.{cmd_name}")
        except ModuleNotFoundError as error:
            lacking = f"needs {error.name!r}, which this system does not have"
            short = f"Not usable here ({error.name!r} is missing)"
            return _unusable(cmd_name, lacking, "grader check works without", short)
        command: click.Command = getattr(module, COMMANDS[cmd_name])
        return command


def _unusable(name: str, why: str, remedy: str, short: str) -> click.Command:
    """Return a command that says why it cannot be used: help for the others must not fail.

    Help for all commands says ``short`` of it.
    """

    def tell(**_options: object) -> None:
        click.echo(f"error: grader {name} {why}; {remedy}", err=True)
        raise SystemExit(2)

    anything = {"ignore_unknown_options": True, "help_option_names": []}
    arguments: list[click.Parameter] = [click.Argument(["arguments"], nargs=-1)]
    return click.Command(name, anything, tell, arguments, short_help=short, hidden=True)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """Grade deep-learning homework: gradients, models and training runs."""
