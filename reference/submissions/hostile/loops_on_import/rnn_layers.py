"""Computes for ever while it is imported; every check of the file is lost at once."""

from honest_layers import *

while True:
    pass
