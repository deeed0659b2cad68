"""A recorded check once more, on the student's own machine."""

from __future__ import annotations

import sys
from pathlib import Path

from grader.checks.watched import Compared
from grader.errors import UsageError
from grader.frontends.commands import replayed_case
from grader.frontends.commands.exit_status import EXIT_BROKEN, EXIT_FAILURES
from grader.frontends.commands.out_folder import check_writable
from grader.frontends.commands.wanted import wanted_of
from grader.frontends.student.look import HomeJob, PlainProcesses, chosen
from grader.frontends.student.replay import load
from grader.job import Settings
from grader.reports import building
from grader.run.replayed_check import Replayed
from grader.run.session import Session


def replay_at_home(
    home: Path, folder: Path, check: str, case: int | None, out: Path | None
) -> None:
    """Run a recorded check on the work in ``folder``; print the case that is wrong.

    Raises:
        UsageError: the bundle has no check, or the check no case, of this name.
    """
    bundle = load(home)
    wanted = wanted_of(bundle.ids, [check])
    if len(wanted) > 1:
        raise UsageError(f"{check}: name one check, such as {min(wanted)}")
    rubric = bundle.rubric(wanted)
    checks = chosen(rubric, wanted)
    if len(checks) != 1:
        raise UsageError(f"{check}: only your instructor's grader can run this check")
    if out is not None:
        check_writable(out)
    settings = Settings(isolation="none", locked=False)
    assignment = bundle.assignment(rubric)
    job = HomeJob(rubric, assignment, folder, checks, settings, bundle.asked, bundle.supplied)
    (question, spec), compared = checks[0], list[Compared]()
    with job.staged() as here, PlainProcesses(checks, here.works_in) as processes:
        session = Session(
            rubric, assignment, here.submission, processes, settings, watch=compared.append
        )
        result = session.run(question, spec)
        found = Replayed(question.of(spec), result, compared, building.of_result(result))
        replayed_case.show(found, "", case)
        if out is not None:
            replayed_case.write(out, found, case, here.submission)
    if result.outcome == "broken":
        sys.exit(EXIT_BROKEN)
    if result.outcome not in ("passed", "pending"):
        sys.exit(EXIT_FAILURES)
