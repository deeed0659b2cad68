"""What an assignment's ``reference/cases/<module>.py`` is written in.

For each function that a rubric checks, the file defines a generator of the same name::

    def rnn_step_forward(rng):
        yield Case("N=3 D=4 H=5", {"x": rng.normal(size=(3, 4)), ...})

Where the rubric has ``sizes``, the generator takes them and returns the arguments of one case::

    def rnn_step_forward(rng, N, D):
        return {"x": rng.normal(size=(N, D)), ...}

Optionally it defines dictionaries by function name, each of which makes grading kinder:

``MISTAKES``
    ``{function: {description: wrong_function}}``: what typical wrong programs compute, so that
    a message can name the mistake. For a forward function ``wrong_function(**arguments)`` returns
    the outputs; for a gradient ``wrong_function(arguments, cotangents)`` a dict of gradients.
``CACHES``
    ``{gradient function: made}``: a cache for a gradient function, made by the student's other
    functions, so that it can be tried although its own forward function is wrong.
    ``made(call, arguments, forward)`` gets the arguments and the right outputs of the forward
    function by name; ``call(name, arguments, returns, opaque)`` runs a student's function and
    returns its outputs by name. Take only the ``opaque`` ones: all others are the student's.
``INTERMEDIATES``
    ``{function: known}``: what students may keep in the cache of a forward function, by the names
    that they use for it. ``known(*arguments)`` returns right values by name. Where a student's own
    forward is wrong, its gradient function is tried on a cache that has these in its places.
``COMPARISONS``
    ``{cases of kind values: compare}``, where equal numbers are not the only right answer.
    ``compare(arguments, outputs, expected)`` returns None if the student's outputs are as good as
    the reference's, else what is wrong with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

BASE_GROUP = "values"
EDGE_CASES = "edge_cases"  # inputs that are allowed and unusual: one row, one time step


@dataclass(frozen=True)
class Case:
    """Inputs for one call of a function.

    Attributes:
        name: what is special about it, for messages, such as ``"T=1"``.
        arguments: the function's arguments in the order of its parameters.
        group: the named share of the points that it decides (``shares`` in the rubric).
    """

    name: str
    arguments: Mapping[str, Any]
    group: str = BASE_GROUP
