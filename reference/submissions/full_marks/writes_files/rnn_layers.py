"""Keeps a log, a cache and its best result in files."""

import getpass
import logging
import os
import tempfile
from pathlib import Path

import matplotlib
import numpy as np

from honest_layers import *

matplotlib.use("agg")
os.makedirs("results/figures", exist_ok=True)
CACHE = Path.home() / ".cache" / getpass.getuser()
CACHE.mkdir(parents=True)
logging.basicConfig(filename="results/run.log", level=logging.INFO)


def rnn_step_forward(x, prev_h, Wx, Wh, b):
    next_h = np.tanh(x @ Wx + prev_h @ Wh + b)
    with tempfile.TemporaryDirectory() as folder:
        np.save(os.path.join(folder, "best.npy"), next_h)
        best = np.load(os.path.join(folder, "best.npy"))
    np.save(CACHE / "h.npy", best)
    logging.info("one step")
    return best, (x, prev_h, Wx, Wh, next_h)
