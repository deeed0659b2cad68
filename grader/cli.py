"""The command line; each command has a file in ``grader/commands/``.

Exit status: 0 graded, 1 graded but ``check`` or ``verify`` found failures, 2 usage or rubric error,
3 broken (our side failed and at least one grade is withheld).
"""

from __future__ import annotations

import os

import click

# Before numpy is imported anywhere: a pool of threads per process is slower for small arrays, and
# grading runs as many processes as there are cores.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

from grader import __version__  # noqa: E402
from grader.commands.check import check  # noqa: E402
from grader.commands.doctor import doctor_command  # noqa: E402
from grader.commands.grade import grade  # noqa: E402
from grader.commands.verify import verify_command  # noqa: E402


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """Grade deep-learning homework: gradients, models and training runs."""


for _command in (grade, check, verify_command, doctor_command):
    main.add_command(_command)
