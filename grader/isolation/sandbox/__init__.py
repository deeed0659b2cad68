"""The trusted side of isolation: starts fork servers, talks to workers, ends them."""

from .contract import LEVELS, Level, Verdict
from .limits import Limits
from .policy import Policy
from .server import ForkServer
from .worker import Reply, StudentError, Worker

__all__ = [
    "LEVELS", "ForkServer", "Level", "Limits", "Policy", "Reply", "StudentError", "Verdict",
    "Worker",
]  # fmt: skip
