"""Ends its process while it is imported."""

import os

from honest_layers import *

os._exit(0)
