"""The trusted side of isolation: starts fork servers, talks to workers, ends them."""

from .limits import Limits
from .server import ForkServer
from .worker import Reply, StudentError, Worker

__all__ = ["ForkServer", "Limits", "Reply", "StudentError", "Worker"]
