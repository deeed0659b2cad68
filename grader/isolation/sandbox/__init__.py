"""The trusted side of isolation: starts fork servers, talks to workers, ends them."""

from .contract import LEVELS, IsolationLevel, Level
from .limits import Limits
from .policy import Policy
from .server import ForkServer
from .worker import Reply, StudentError, Worker

__all__ = [
    "LEVELS",
    "ForkServer",
    "IsolationLevel",
    "Level",
    "Limits",
    "Policy",
    "Reply",
    "StudentError",
    "Worker",
]  # fmt: skip
