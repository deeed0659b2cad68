"""Things that hold processes or folders and have to be closed."""

from __future__ import annotations

import abc
from types import TracebackType
from typing import TypeVar

Self = TypeVar("Self", bound="Closing")


class Closing(abc.ABC):
    """Base of context managers that are closed when their block is left."""

    @abc.abstractmethod
    def close(self) -> None:
        """Give everything back."""

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
