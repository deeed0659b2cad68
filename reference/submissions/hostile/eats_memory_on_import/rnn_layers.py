"""Allocates six gigabytes while it is imported; the statement is left out, and the functions count."""

import numpy as np
from honest_layers import *

kept = [np.zeros(2**23) for _ in range(96)]
