"""Where the workers of a session come from: what it needs of a source, and fork servers."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from grader.assignment import state
from grader.errors import BrokenError, Closing, GraderError
from grader.intake.submission import Origin, Submission, stage
from grader.intake.wanted import asked_by
from grader.isolation import bounded
from grader.isolation.bounded import BoundedChild
from grader.isolation.sandbox import LEVELS, ForkServer, IsolationLevel, Limits, Policy, Worker
from grader.isolation.sandbox.connection import WorkerConnection
from grader.model import Question, Rubric

if TYPE_CHECKING:
    from grader.intake.staging import StagingFolder

Needs = tuple[tuple[str, ...], tuple[str, ...]]  # what to preload, what to hide


def needs(question: Question) -> Needs:
    """Return what the fork server of a question's workers has loaded, and hides."""
    # numpy is in every server
    return tuple(name for name in question.preload if name != "numpy"), question.forbidden


def _hiding_what_is_kept(policy: Policy) -> Policy:
    """Return a policy that hides what is kept of hidden data from one run to the next, too."""
    with contextlib.suppress(GraderError, OSError):  # who cannot look there keeps nothing there
        place = state.folder()
        if policy.hidden and place.is_dir():
            return replace(policy, hidden=(*policy.hidden, place))
    return policy


class WorkerSource(Protocol):
    """Where a session gets its workers from, and all that it has to know about them."""

    @property
    def isolation(self) -> list[str]:
        """The level and the layers that isolate its workers; empty where nothing does."""

    @property
    def asks_at_once(self) -> bool:
        """Whether several calls can be sent to its workers before the first is answered."""

    @property
    def bounded(self) -> BoundedChild | None:
        """The child in which our own code works on what workers return; None where none can be."""

    def spawn(
        self,
        question: Question,
        folder: Path,
        limits: Limits,
        seed: int,
        module: str = "",
        expected: int = 1,
        *,
        in_turns: bool = False,
    ) -> WorkerConnection:
        """Return a worker that runs the code in ``folder``, with the libraries of a question.

        It may have been forked from one that has loaded the ``module``. ``expected`` says how many
        such workers are likely to be asked for, this one included. ``in_turns`` says that it may
        have done other checks, if its program is proven to be pure.

        Raises:
            IsolationError: it would be isolated less than is demanded.
            BrokenError: it cannot be started.
        """

    def replace(self, question: Question) -> None:
        """Start the next worker of a question afresh: the last one was our side's failure."""

    def reference(self, rubric: Rubric) -> AbstractContextManager[Path | None]:
        """Stage the reference as if it had been handed in; None where it cannot be run.

        Raises:
            BrokenError: it cannot be staged.
        """


class ForkServers(Closing):
    """The fork servers of one grading process, and the folder that their workers can read.

    Submissions are staged in that folder one after the other.

    Attributes:
        asks_at_once: sockets hold what a worker has not read yet.

    Args:
        parent: the folder to stage in; by default one in the system's folder for temporary files.
        policy: what is demanded of isolation.
        frugal: whether to end a fork server before another one starts.
    """

    asks_at_once = True

    def __init__(
        self, parent: Path | None = None, policy: Policy | None = None, *, frugal: bool = False
    ) -> None:
        self._policy = _hiding_what_is_kept(policy or Policy())
        self._frugal = frugal
        self._own: StagingFolder | None = None
        if parent is None:
            from grader.intake.staging import StagingFolder  # needs fcntl, which is not everywhere

            self._own = StagingFolder()
            parent = self._own.path
        try:
            self._staging = Path(tempfile.mkdtemp(prefix="grading-", dir=parent))
        except OSError as error:
            raise BrokenError(f"a folder in {parent} cannot be made: {error.strerror}") from None
        # Workers enter it under another user id; the names in it are not listed for them.
        self._staging.chmod(0o711)
        self.bounded = BoundedChild() if bounded.is_possible() else None
        self._servers: dict[Needs, ForkServer] = {}
        self._levels: dict[Needs, IsolationLevel] = {}
        self._count = 0

    def close(self) -> None:
        """End all servers and remove everything staged."""
        self._end_servers()
        if self.bounded is not None:
            self.bounded.close()
        shutil.rmtree(self._staging, ignore_errors=True)
        if self._own is not None:
            self._own.close()

    def _end_servers(self) -> None:
        for server in self._servers.values():
            server.close()
        self._servers.clear()

    def stage(self, identifier: str, path: Origin, rubric: Rubric) -> Submission:
        """Stage a submission into a folder of its own."""
        self._count += 1
        modules, others = asked_by(rubric)
        supplied = {file.name: file for question in rubric.questions for file in question.supplied}
        target = self._staging / f"s{self._count}" / "submission"
        try:
            target.parent.mkdir()
            target.parent.chmod(0o711)  # workers pass through it, whatever the umask is
        except OSError as error:
            raise BrokenError(f"{identifier} cannot be staged: {error.strerror}") from None
        return stage(identifier, path, target, modules, tuple(supplied.values()), others)

    @contextlib.contextmanager
    def reference(self, rubric: Rubric) -> Iterator[Path]:
        """Stage the reference solution as if it had been handed in, for a moment.

        No student's worker of this process may live meanwhile, and those of other processes could
        only enter a folder whose name they guess, if they could read another's folder at all.

        Raises:
            BrokenError: it cannot be staged.
        """
        supplied = [file for question in rubric.questions for file in question.supplied]
        own = [path for path in rubric.reference.iterdir() if path.is_file()]
        # Once each: two questions may supply the same file, and only root writes over it.
        files = {file.name: file for file in (*own, *supplied)}
        folder: Path | None = None
        try:
            folder = Path(tempfile.mkdtemp(prefix="own-", dir=self._staging))
            for name, file in files.items():
                shutil.copyfile(file, folder / name)
                (folder / name).chmod(0o444)
            folder.chmod(0o755)
            yield folder
        except OSError as error:
            raise BrokenError(f"the reference cannot be staged: {error.strerror}") from None
        finally:
            if folder is not None:
                shutil.rmtree(folder, ignore_errors=True)

    def unstage(self) -> None:
        """Remove the submission staged last, and the workers that have loaded it."""
        for server in self._servers.values():
            with contextlib.suppress(BrokenError):  # it is gone, and they with it
                server.leave()
        shutil.rmtree(self._staging / f"s{self._count}", ignore_errors=True)

    def spawn(
        self,
        question: Question,
        folder: Path,
        limits: Limits,
        seed: int,
        module: str = "",
        expected: int = 1,
        *,
        in_turns: bool = False,
    ) -> Worker:
        """Fork a worker that may read ``folder``, which lies where submissions are staged.

        Raises:
            IsolationError: its fork server isolates less than is demanded.
            BrokenError: its fork server does not start, or does not answer.
        """
        return self._server(question).spawn(
            folder, limits, seed, module, expected, in_turns=in_turns
        )

    def _server(self, question: Question) -> ForkServer:
        """Return the fork server with a question's libraries, started at its first use."""
        key = needs(question)
        if key not in self._servers:
            preload, hidden = key
            policy = self._policy
            if self._frugal:
                self._end_servers()
            server = ForkServer(
                *(preload, self._staging),
                hidden=hidden,
                without=policy.without,
                accelerator=policy.accelerator and "torch" in preload,
            )
            try:
                self._levels[key] = policy.admit(server)
            except BaseException:
                server.close()
                raise
            self._servers[key] = server
        return self._servers[key]

    def replace(self, question: Question) -> None:
        """Drop a server that no longer answers; the next use starts another one."""
        server = self._servers.pop(needs(question), None)
        if server is not None:
            server.close()

    @property
    def isolation(self) -> list[str]:
        """What was stopped, as every report tells it: the level first, the layers last."""
        if not self._levels:
            return []
        weakest = max(self._levels.values(), key=lambda found: LEVELS.index(found.level))
        layers = [server.isolation for server in self._servers.values()] or [[]]
        in_all = [layer for layer in layers[0] if all(layer in other for other in layers)]
        return [*weakest.described(), *in_all]
