"""Sends a well-formed answer under an id that it made up."""

import json
import os
import struct

import numpy as np
from honest_layers import *


def frame(body, sizes, *buffers):
    header = json.dumps({"body": body, "buffers": sizes}).encode()
    return b"DLG\x01" + struct.pack("<I", len(header)) + header + b"".join(buffers)


def temporal_fc_backward(dout, cache):
    os.write(3, frame({"id": "0" * 16, "result": True, "mutated": []}, []))
    return tuple(np.zeros_like(value) for value in cache)
