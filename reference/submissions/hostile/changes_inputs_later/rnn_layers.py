"""Returns right gradients while a thread goes on to overwrite the arguments."""

import threading

import honest_layers
from honest_layers import *

seen = []


def scribble():
    while True:
        for array in list(seen):
            array[...] = 7


def temporal_fc_backward(dout, cache):
    answer = honest_layers.temporal_fc_backward(dout, cache)
    if not seen:
        threading.Thread(target=scribble, daemon=True).start()
    seen.extend((dout, *cache))
    return answer
