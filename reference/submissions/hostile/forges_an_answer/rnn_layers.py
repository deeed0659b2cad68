"""Writes a frame of its own that announces two gigabytes into the connection."""

import os
import struct
import time

import honest_layers
from honest_layers import *


def temporal_fc_backward(dout, cache):
    os.write(3, b"DLG\x01" + struct.pack("<I", 2**31))
    time.sleep(1)
    return honest_layers.temporal_fc_backward(dout, cache)
