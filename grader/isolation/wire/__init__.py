"""The bounded, pickle-free wire between the trusted side and a worker.

Imported by both sides. It therefore imports nothing of the engine: numpy and the standard
library only, with relative imports, so that the worker can load it under another package name.
"""

from .codec import (
    HEADER_CAP,
    MAX_DEPTH,
    Decoder,
    Encoder,
    Header,
    pack,
    parse_header,
    parse_prefix,
)
from .values import Opaque, TensorData, TooMuchAnnouncedError, WireError

__all__ = [
    "HEADER_CAP",
    "MAX_DEPTH",
    "Decoder",
    "Encoder",
    "Header",
    "Opaque",
    "TensorData",
    "TooMuchAnnouncedError",
    "WireError",
    "pack",
    "parse_header",
    "parse_prefix",
]
