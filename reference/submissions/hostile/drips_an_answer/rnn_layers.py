"""Sends its answer one byte at a time, for longer than it may take."""

import json
import os
import struct
import time

import numpy as np
from honest_layers import *


def frame(body, sizes, *buffers):
    header = json.dumps({"body": body, "buffers": sizes}).encode()
    return b"DLG\x01" + struct.pack("<I", len(header)) + header + b"".join(buffers)


def temporal_fc_backward(dout, cache):
    for byte in frame({"id": "x" * 60, "result": 1}, []):
        os.write(3, bytes([byte]))
        time.sleep(0.5)
    return tuple(np.zeros_like(value) for value in cache)
