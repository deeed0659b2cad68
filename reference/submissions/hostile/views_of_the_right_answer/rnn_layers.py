"""Returns right answers as reversed, read-only and byte-swapped views."""

import honest_layers
import numpy as np
from honest_layers import *


def temporal_fc_backward(dout, cache):
    dx, dw, db = honest_layers.temporal_fc_backward(dout, cache)
    dx = np.flip(np.flip(dx).copy())
    dw = np.asfortranarray(dw).astype(">f8")
    db = np.repeat(db, 3)[::3]
    for view in (dx, dw, db):
        view.flags.writeable = False
    return dx, dw, db
