"""Computes forever while it is imported; the statement is left out, and the functions count."""

from honest_layers import *

while True:
    pass
