"""Changes folder, environment, umask, priority and random state; the answer is right."""

import os
import random
import sys

import honest_layers
import numpy as np
from honest_layers import *


def temporal_fc_backward(dout, cache):
    for change in (
        lambda: os.chdir("/"),
        lambda: os.environ.update(OMP_NUM_THREADS="64", PATH="", LD_PRELOAD="/tmp/x.so"),
        lambda: os.umask(0),
        lambda: os.nice(19),
        lambda: np.random.seed(0),
        lambda: random.seed(0),
        lambda: np.seterr(all="raise"),
        lambda: sys.path.clear(),
        lambda: sys.meta_path.clear(),
        lambda: sys.setrecursionlimit(100),
        lambda: os.closerange(0, 3),
    ):
        try:
            change()
        except Exception:
            pass
    return honest_layers.temporal_fc_backward(dout, cache)
