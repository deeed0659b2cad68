"""The calls that were sent to a worker all at once, and their answers once one is needed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from grader.errors import AskAgainError, WorkerLost

from .calls import FunctionCall
from .reply import Reply


class CallsAhead:
    """Calls that will be made next, in this order.

    Args:
        calls: all of them.
        read: returns the answers, up to that of the first call that raises.
        any_order: whether anything else may be asked in between. Only where no call can leave
            anything behind for another: then a call that does not come next is made by itself.
    """

    def __init__(
        self,
        calls: Sequence[FunctionCall] = (),
        read: Callable[[], list[Reply]] = list,
        *,
        any_order: bool = False,
    ) -> None:
        self._calls = deque(calls)
        self._answers: deque[Reply] = deque()
        self._read: Callable[[], list[Reply]] | None = read if calls else None
        self._any_order = any_order

    def answer(self, call: FunctionCall) -> Reply | None:
        """Return the answer to a call; None if it has to be made by itself.

        Raises:
            AskAgainError: another call comes first, or none was answered after one that raises.
        """
        if not self._calls:
            return None
        if self._calls[0].is_same(call):
            self._read_all()
            if self._answers:
                self._calls.popleft()
                return self._answers.popleft()
        self.let_others()
        return None

    def let_others(self) -> None:
        """Let something else be asked, once all answers have been read.

        Raises:
            AskAgainError: calls are left that must come first.
        """
        if self._calls and not self._any_order:
            raise AskAgainError
        self._read_all()

    def _read_all(self) -> None:
        if self._read is None:
            return
        read, self._read = self._read, None
        try:
            self._answers.extend(read())
        except WorkerLost:
            # Which call it was is found out one by one: others may earn points.
            if self._any_order:
                raise AskAgainError from None
            raise
