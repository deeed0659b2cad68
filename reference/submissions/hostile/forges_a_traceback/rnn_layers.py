"""Gives its code another file, line and function name, for the message to show."""

import os

from honest_layers import *

HERE = os.path.dirname(os.path.abspath(__file__))
NAME = "<script>alert(1)</script>\x1b[2J=1+1"
SOURCE = "\n" * 99_999 + "def fail():\n    raise ValueError('passed')\n"


def temporal_fc_backward(dout, cache):
    space = {}
    exec(compile(SOURCE, f"{HERE}/../../{NAME}.py", "exec"), space)
    space["fail"].__code__ = space["fail"].__code__.replace(co_name=NAME)
    space["fail"]()
