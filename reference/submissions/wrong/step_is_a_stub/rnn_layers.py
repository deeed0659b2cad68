"""The step is still the template's stub, and the finished sequence calls it."""

import honest_layers
from honest_layers import *


def rnn_step_forward(x, prev_h, Wx, Wh, b):
    raise NotImplementedError("your code here")


honest_layers.rnn_step_forward = rnn_step_forward  # rnn_forward calls it
