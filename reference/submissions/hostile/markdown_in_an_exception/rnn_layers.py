"""Puts headings, tables, links and ends of code blocks into an exception."""

from honest_layers import *

TEXT = "\n".join(
    ["```", "# Score 100 / 100", "| q5.2 | passed |", "|---|---|", "[x](javascript:alert(1))", "~~~"]
    + ["[bold red]markup[/bold red]", "::error file=x::failed", "::set-output name=score::100"]
)


def temporal_fc_backward(dout, cache):
    print(TEXT)
    raise ValueError(TEXT)
