"""Answers with an exception of its own making, whose fields have wrong types."""

import json
import os
import struct
import sys

import numpy as np
from honest_layers import *


def frame(body, sizes, *buffers):
    header = json.dumps({"body": body, "buffers": sizes}).encode()
    return b"DLG\x01" + struct.pack("<I", len(header)) + header + b"".join(buffers)


def temporal_fc_backward(dout, cache):
    caller = sys._getframe()
    while caller is not None and "request" not in caller.f_locals:
        caller = caller.f_back
    request = caller.f_locals["request"] if caller else {}
    error = {"type": ["x"], "kinds": {"a": 1}, "text": None, "where": [[1, "x", []]], "undefined": 1}
    os.write(3, frame({"id": request.get("id", ""), "error": {**error, "missing_package": 7}}, []))
    return tuple(np.zeros_like(value) for value in cache)
