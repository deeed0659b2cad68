"""Two changes of one program: which of them a report names."""

import ast

import pytest

from grader.assignment import paired
from grader.assignment.mutated import MutantFate, RightProgram
from grader.assignment.paired import MutantPair
from grader.isolation.worker.mutants import functions_in, mutants_of

SOURCE = '''"""Right."""


def head(x):
    y = x * 2
    z = y + 1
    return z


def tail(x):
    return head(x) - 3


def between(x):
    """Not graded."""
'''
PROGRAM = RightProgram("plain", {"toy.py": SOURCE.encode()})
RAISES = "exception.ValueError"


def fates():
    """Return every change of both functions; the gradient of ``head`` is ``q2``."""
    own = {"head": "q1", "tail": "q3"}
    partners = {"head": frozenset(["q2"]), "tail": frozenset()}
    return [
        MutantFate(
            *(PROGRAM, "toy.py", one, frozenset([own[one.function]]), partners[one.function]),
            wanted=frozenset(["q1", "q2", "q3"]),
        )
        for one in mutants_of(SOURCE, set(own))
    ]


@pytest.fixture
def pair():
    """Return a pair with what the reports say of the first change, the second, and both."""

    def made(first, second, both, waiting=()):
        every = fates()
        one = next(fate for fate in every if fate.mutant.function == "head")
        (pair,) = paired.pairs_of([one], every, 0)
        for fate, causes in zip((*pair.alone, pair.both), (first, second, both), strict=True):
            fate.fate = "killed" if causes is not None else "alive"
            fate.lost = dict.fromkeys(causes or (), 1.0)
            fate.causes = {check: list(named) for check, named in (causes or {}).items() if named}
        pair.both.waiting = set(waiting)
        return pair

    return made


def test_both_are_named_where_each_has_its_cause_in_a_check_of_its_own(pair):
    assert pair({"q1": ["zeros"]}, {"q3": ["sign"]}, {"q1": ["zeros"], "q3": ["sign"]}).named == (
        "both"
    )
    # Errors of two functions are two, though their identifiers are the same.
    raised = {"q1": [RAISES], "q3": [RAISES]}
    assert pair({"q1": [RAISES]}, {"q3": [RAISES]}, raised).named == "both"


def test_what_a_function_keeps_is_named_at_its_gradient(pair):
    found = pair({"q2": ["sign"]}, {"q3": ["zeros"]}, {"q2": ["sign"], "q3": ["zeros"]})
    assert found.alone[0].seen_by == {"q2"}
    assert found.named == "both"
    # What is wrong in its values, too, is named by them.
    assert pair({"q1": [], "q2": ["sign"]}, {"q3": ["zeros"]},
                {"q1": [], "q2": ["sign"], "q3": ["zeros"]}).named == "one"  # fmt: skip


def test_one_cause_of_one_check_names_one_change(pair):
    alike = {"q2": ["sign"]}
    assert pair(alike, alike, alike).named == "one"
    assert pair(alike, {"q2": ["zeros"]}, {"q2": ["sign", "zeros"]}).named == "both"


def test_a_cause_that_no_change_has_alone_names_none(pair):
    alone = {"q1": ["sign"]}, {"q3": ["zeros"]}
    assert pair(*alone, {"q1": ["factor"], "q3": ["zeros"]}).named == "one"
    assert pair(*alone, {"q1": ["factor"], "q3": []}).named == "none"
    assert pair({"q1": []}, {"q3": []}, {"q1": ["sign"], "q3": ["sign"]}).named == "none"


def test_what_comes_after_an_error_is_hidden(pair):
    assert pair({"q2": ["sign"]}, {"q2": [RAISES]}, {"q2": [RAISES]}).named == "hidden"
    assert pair({"q2": [RAISES]}, {"q2": [RAISES]}, {"q2": [RAISES]}).named == "hidden"
    # Not where it is seen in another check as well.
    seen = {"q2": [RAISES], "q3": []}
    assert pair({"q2": [RAISES]}, {"q3": ["sign"]}, seen).named == "one"
    # Nor if it is not an error.
    assert pair({"q2": ["sign"]}, {"q2": ["zeros"]}, {"q2": ["sign"]}).named == "one"


def test_what_waits_for_a_person_because_of_an_error_is_hidden(pair):
    alone = {"q1": [RAISES]}, {"q3": ["sign"]}
    assert pair(*alone, {"q1": [RAISES]}, waiting=["q3"]).named == "hidden"
    assert pair(*alone, {"q1": [RAISES]}).named == "one"


def test_a_change_that_does_nothing_alone_makes_no_pair(pair):
    named = {"q1": ["zeros"], "q3": ["sign"]}
    assert pair(None, {"q3": ["sign"]}, named).named == "no pair"
    assert pair({"q1": ["zeros"]}, None, named).named == "no pair"


def test_both_changes_are_in_the_program_at_their_lines():
    every = fates()
    whole = functions_in(ast.parse(SOURCE))
    for seed in range(4):
        for found in paired.pairs_of(every, every, seed):
            first, second = found.alone
            functions = functions_in(ast.parse(found.both.mutant.source))
            for change in (first.mutant, second.mutant):
                changed = functions_in(ast.parse(change.source))[change.function]
                assert ast.dump(functions[change.function]) == ast.dump(changed)
                assert ast.dump(changed) != ast.dump(whole[change.function])
            assert ast.dump(functions["between"]) == ast.dump(whole["between"])
            lines = found.both.mutant.source.splitlines()
            line = second.mutant.source.splitlines()[second.mutant.line - 1]
            assert lines[found.both.mutant.line - 1] == line
            assert found.both.mutant.diff == second.mutant.diff
            assert found.both.first is first.mutant


def test_pairs_are_repeated_and_need_two_functions():
    every = fates()

    def drawn(chosen, seed):
        return [p.both.mutant.source for p in paired.pairs_of(chosen, chosen, seed)]

    assert drawn(every, 7) == drawn(every, 7) != drawn(every, 8)
    assert drawn([one for one in every if one.mutant.function == "head"], 7) == []
    assert isinstance(paired.pairs_of(every, every, 1)[0], MutantPair)
