"""One-change programs: each differs by one node, is told from its origin, and is graded."""

import ast
import json

import pytest

from grader.isolation.worker import mutants
from tests.conftest import ROOT

PLAIN = ROOT / "reference" / "submissions" / "full_marks" / "plain" / "rnn_layers.py"

SMALL = '''
def f(x, w, b=0):
    """Doc."""
    z = np.tanh(x.T @ w[1:2]) + b
    for t in range(3):
        z += x[t]
    return z, w
'''


def test_every_mutant_is_a_program_with_one_change():
    found = list(mutants.mutants_of(SMALL, ["f"]))
    programs = [ast.dump(ast.parse(mutant.source)) for mutant in found]
    assert len(set(programs)) == len(programs)
    assert ast.dump(ast.parse(SMALL)) not in programs
    assert all('"""Doc."""' in mutant.source for mutant in found)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("x.T @ w[1:2]", "x @ w[1:2]"),
        ("x.T @ w[1:2]", "(w[1:2] @ x.T)"),
        ("w[1:2]", "w[1 + 1:2]"),
        ("w[1:2]", "w[:2]"),
        ("np.tanh(x.T @ w[1:2])", "(x.T @ w[1:2])"),
        ("np.tanh(x.T @ w[1:2]) + b", "np.tanh(x.T @ w[1:2])"),
        ("np.tanh(x.T @ w[1:2]) + b", "np.tanh(x.T @ w[1:2]) - b"),
        ("+ b", "+ w"),
        ("z += x[t]", "z = x[t]"),
        ("z += x[t]", "z -= x[t]"),
        ("z += x[t]", "pass"),
        ("x[t]", "x[t - 1]"),
        ("range(3)", "range(2)"),
        ("range(3)", "reversed(range(3))"),
        ("z, w", "(w, z)"),
    ],
)
def test_the_kinds_of_change_are_made(script, old, new):
    found = mutants.mutants_of(SMALL, ["f"])
    wanted = ast.dump(ast.parse(SMALL.replace(old, new)))
    assert wanted in [ast.dump(ast.parse(mutant.source)) for mutant in found]


def test_gates_are_permuted(script):
    found = mutants.mutants_of(PLAIN.read_text(), ["lstm_step_forward"])
    diffs = [mutant.diff for mutant in found]
    assert any(
        "+    f = sigmoid(a[:, H : 2 * H])" in diff and "+    i = sigmoid(a[:, 0:H])" in diff
        for diff in diffs
    )


@pytest.mark.parametrize(
    ("old", "new", "behavior"),
    [
        ("dtanh = dnext_h * (1", "dtanh = (1 * dnext_h) * (1", "equivalent"),
        ("dtanh = dnext_h * (1", "dtanh = dnext_h * (2", "wrong"),
        ("np.dot(dtanh, Wx.T)", "np.dot(dtanh, dtanh)", "raises"),
        ("np.dot(dtanh, Wx.T)", "next(x for x in iter(int, 1) if x)", "raises"),
    ],
)
def test_what_a_change_does_is_seen_by_running_it(script, monkeypatch, old, new, behavior):
    module = script("behavior")
    monkeypatch.setattr(module, "TIMEOUT_S", 0.3)
    source = PLAIN.read_text()
    assert old in source
    found = module.Behaving(source).of(source.replace(old, new, 1), "rnn_step_backward")
    assert found == behavior


def test_a_cache_that_alone_is_wrong_is_told_from_a_wrong_value(script):
    source = PLAIN.read_text()
    other = source.replace("Wx, Wh, next_h)", "Wx, Wx, next_h)", 1)
    module = script("behavior")
    assert module.Behaving(source).of(other, "rnn_step_forward") == "cache"


def test_a_change_reaches_the_checks_that_call_its_function(script):
    module = script("one_change")
    rubric = module.load_rubric(ROOT / "rubric.yaml", module.KINDS)
    model = PLAIN.with_name("rnn.py").read_text()
    plan = module.plan(rubric, PLAIN.read_text(), model)
    reached = [check.id for _question, check in plan.reached["rnn_step_forward"]]
    assert reached == ["q3.1", "q3.2", "q3.3", "q3.4", "q5.5", "q5.6"]
    assert plan.own["temporal_softmax_loss"] == ["q5.3", "q5.4"]
    assert plan.partner["rnn_step_forward"] == ["q3.2"]


def test_a_mistake_that_two_checks_pay_for_is_paid_twice(script):
    row = script("one_change").Row("f", "sign", 1, "-a\n+b", "wrong", ["q1"], {"q1": 1.0})
    assert row.once
    row.lost["q2"] = 0.5
    assert (row.once, row.too_many) == (False, 0.5)


def test_a_sample_is_graded(script, tmp_path, capsys):
    module = script("one_change")
    file = tmp_path / "rows.json"
    arguments = ["--sample", "4", "--jobs", "1", "--json", str(file)]
    with pytest.raises(SystemExit):
        module.main([*arguments, "--function", "temporal_fc_backward"])
    rows = json.loads(file.read_text())
    assert len(rows) == 4
    for row in rows:
        assert not row["broken"]
        # What does nothing else loses nothing, and what does is noticed.
        assert bool(row["lost"]) == (row["behavior"] != "equivalent"), row
    assert "4 programs with one change" in capsys.readouterr().out
