"""The layers that a captioning model of the same student calls."""

from honest_layers import *
