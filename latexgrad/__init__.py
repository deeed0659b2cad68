"""Derivations: LaTeX in, a verdict for each formula out.

``assess`` is the only way in: from a text and a ``Task`` to an ``Assessment``. Nothing else of this
package is imported from outside (``make lint`` refuses it), and the package imports nothing of the
grader. ``pipeline`` is what happens in between; the first call imports it, or ``load`` does.
Reading first keeps everything: what is in the part becomes a statement or a problem with its place.
Then statements are understood. A formula goes through these modules in turn:

1. ``source`` finds headings, macros and mathematics in the file; pictures and formulas outside
   mathematics are noted. ``sentences`` finds names that are given in running text.
2. ``tokens`` cuts LaTeX into lexemes and expands macros; ``looks`` drops fonts and spacing
   (``commands``), and ``block_text`` marks block matrices (``gaps``: those without commas).
3. ``rows`` opens frames and cuts lexemes into pieces at row ends and remarks (``words``);
   ``equations`` makes chains ``a = b = c`` and conditions of them; ``function_names`` and
   ``rewrites`` put them into the usual form.
4. ``parser`` (with ``grammar.lark`` and ``terminals``) makes ``nodes`` of each side: ``scripts``
   says what subscripts and superscripts mean, ``derivatives`` what belongs to a fraction of partial
   signs.
5. ``statements`` holds what the file states; ``sections`` picks those of the part that is marked.
6. ``interpretation`` tries what the answer may mean: its letters for the loss and for time
   (``spelling``, ``speller``, ``symbol_words``) and its names for values (``families``). ``rules``
   makes rules of the statements (not of ``differentials``), one for each quantity that is defined,
   under the task's names (``network``, ``renaming``). ``stacks`` and ``stack_inference`` put blocks
   in place of the names of stacked vectors and matrices.
7. ``resolve`` finds the shapes of the student's own symbols, and with ``reading`` which product is
   meant where a row of factors allows more than one.
8. ``scope`` evaluates the rules as recursions at a random point (``evaluate``, ``arithmetic``,
   ``blocks``, ``functions``).
9. ``checker`` compares every link of a rule with the truth (``dependence`` says what it builds on,
   ``own_quantities`` which gradients the student's own symbols are), and ``verdicts`` chooses the
   convention (rows or columns, total or direct gradients) that suits the answer best. ``doubt``
   finds what was not understood and may be why points are lost: a person looks at it.
10. ``why`` looks for the mistake: a path to the loss that is missing, or an edit (``edits``) that
    makes the formula right.
11. ``explain`` puts messages together, with formulas as text (``formula_text``) and as MathML
    (``mathml``).

The other side of the comparison is made once for each task: ``task`` holds what the author writes,
``network`` reads its equations by the modules above, ``truth`` draws random points and
differentiates the loss (autograd, float64), ``prepare`` keeps the result. ``limits`` bounds all of
it: a formula is text that anybody may have written.
"""

from __future__ import annotations

from .assessment import (
    Assessed,
    AssessedFormula,
    AssessedQuantity,
    Assessment,
    Mistake,
    MistakeKind,
    Shortfall,
    Unanswered,
    Waiting,
)
from .task import Task, TaskError

__all__ = [
    "Assessed",
    "AssessedFormula",
    "AssessedQuantity",
    "Assessment",
    "Mistake",
    "MistakeKind",
    "Shortfall",
    "Task",
    "TaskError",
    "Unanswered",
    "Waiting",
    "assess",
    "load",
]


def assess(text: str, task: Task, *, file: str = "answer.tex", seed: int = 0) -> Assessment:
    """Say what the formulas of a text earn, and why.

    Args:
        text: LaTeX, or Markdown with LaTeX between dollars.
        task: what is asked.
        file: the name of the file in messages; ``.tex`` at its end means LaTeX, anything else
            Markdown or plain text.
        seed: of the random points at which formulas are compared.

    Raises:
        TaskError: the task itself makes no sense.
    """
    from . import pipeline

    return pipeline.assess(text, task, file=file, seed=seed)


def load() -> None:
    """Load what reads answers, which takes a moment: best before a process forks."""
    from . import pipeline  # noqa: F401
