"""The page of the long proofs: its shares are those of the programs it was given."""

import json

import numpy as np
import pytest

DONE = {"date": "2026-11-29", "commit": "abc1234", "seconds": 60, "command": "grader verify"}


def row(fate="killed", **keys):
    """Return what ``grader verify --mutants`` keeps of one program."""
    given = {
        "program": "full_marks/loop", "module": "rnn_layers.py", "function": "rnn_step_forward",
        "line": 7, "fate": fate, "why": "", "by_own": True, "once": True, "has_cause": True,
        "named": "both", "lost": {"q3.1": 2.0}, "causes": {"q3.1": ["The bias is not added."]},
        "diff": "-    return x + b\n+    return x\n",
    }  # fmt: skip
    return given | keys


@pytest.fixture
def page(script):
    return script("validity_page")


def part(page, group, rows=(), text=""):
    return page.PartResult(group, group, DONE, list(rows), text)


def test_shares_are_of_programs_that_are_not_equivalent(page):
    rows = [row() for _ in range(6)] + [row(by_own=False, once=False, has_cause=False)]
    rows += [row("equivalent"), row("listed"), row("alive", why="never called")]
    text = page.written([part(page, "mutants", rows)], [])
    assert "| all | 10 | 2 | 87.5 % | 85.7 % | 85.7 % | 85.7 % | 0 |" in text
    assert "1 survivors:" not in text
    assert "`return x + b` becomes `return x` (never called)" in text
    assert "2026-11-29, abc1234, 60 s: `grader verify`" in text


def test_the_table_has_as_many_cells_in_each_line(page):
    lines = page.written([part(page, "mutants", [row()])], []).splitlines()
    assert len({line.count("|") for line in lines if line.startswith("|")}) == 1


def test_a_cause_that_other_data_do_not_confirm_was_named_wrongly(page):
    first = [row(), row(line=8), row(line=9, has_cause=False)]
    other = row(line=8, causes={"q3.1": ["The hidden state is not carried."]})
    again = [row(), other, row(line=9, has_cause=False)]
    text = page.written([part(page, "mutants", first), part(page, "causes", again)], [])
    assert "3 mutants were killed on both data; a cause is named for 2 (66.7 %)" in text
    assert "not confirmed by the other data for 1 (50.0 %)" in text


def test_pairs_are_those_whose_changes_both_lose_points_alone(page):
    named = ["both"] * 5 + ["hidden", "one", "one", "none", "no pair", "no pair"]
    rows = [row(named=one) for one in named] + [row("alive", named="one", why="never called")]
    text = page.written([part(page, "pairs", rows)], [])
    assert "12 programs with two changes. 2 of them hold a change that loses no points" in text
    assert "Of the other 10 pairs 9 lose points." in text
    assert "| both changes | 5 | 50.0 % | 55.6 % |" in text
    assert "| one, which hides the other | 1 | 10.0 % |  |" in text
    assert "| one, though the other is seen | 3 | 30.0 % | 33.3 % |" in text
    assert "| none | 1 | 10.0 % | 11.1 % |" in text
    assert "1 survivor:" in text
    # A pair that nobody sees is no survivor if one of its changes does nothing.
    rows = [row("alive", named="no pair")]
    assert "No survivor." in page.written([part(page, "pairs", rows)], [])


def test_right_programs_that_lose_are_listed(page):
    rows = [row("same"), row("killed", lost={"q5.1": 1.0}), row("pending")]
    text = page.written([part(page, "rewrites", rows)], [])
    assert "3 programs: 1 loses points, 1 waits for a person." in text
    assert "full_marks/loop/rnn_layers.py:7 rnn_step_forward: q5.1" in text


def test_what_is_left_is_said_and_single_runs_are_left_out(page):
    text = "  seed 0\n| check | seeds |\n|---|---|\n| q6.1 | 30 |\n"
    made = page.written([part(page, "untrained", text=text)], ["pairs"])
    assert "Not run yet: pairs." in made
    assert "\n\n| check | seeds |\n|---|---|\n| q6.1 | 30 |\n\n" in made
    assert "seed 0" not in made


def test_parts_have_names_of_their_own_and_known_headings(script, page):
    parts = script("validity").PARTS
    assert len({one.name for one in parts}) == len(parts)
    assert {one.group for one in parts} == set(page.HEADINGS) == set(page.GOALS)


def test_a_part_that_is_done_is_on_the_page(script, tmp_path, monkeypatch, capsys):
    validity = script("validity")
    monkeypatch.setattr(validity, "KEPT", tmp_path / "kept")
    monkeypatch.setattr(validity, "ROOT", tmp_path)
    monkeypatch.setattr(validity, "PAGE", tmp_path / "validity.md")
    (pairs,) = (one for one in validity.PARTS if one.name == "pairs")
    pairs.folder.mkdir(parents=True)
    (pairs.folder / validity.DONE).write_text(json.dumps(DONE), encoding="utf-8")
    (pairs.folder / validity.OUTPUT).write_text("", encoding="utf-8")
    (pairs.folder / validity.MUTANTS).write_text(json.dumps([row()]), encoding="utf-8")
    validity.write_page()
    text = (tmp_path / "validity.md").read_text(encoding="utf-8")
    assert "1 program with two changes." in text
    assert "pairs" not in text.partition("Not run yet:")[2].partition("\n")[0].split(", ")
    assert capsys.readouterr().out == "wrote validity.md\n"


def test_untrained_networks_bound_how_often_the_first_point_is_reached(script, capsys):
    untrained = script("untrained")
    rng = np.random.default_rng(0)
    zero = dict.fromkeys(untrained.CHECKS, 0.65)

    def kept(center: float, spread: float) -> dict:
        return {
            str(seed): {
                check: {"points": 0, "metric": center + spread * rng.normal(), "outcome": "failed"}
                for check in zero
            }
            for seed in range(30)
        }

    assert untrained.shown(kept(0.2, 0.01))
    table = capsys.readouterr().out
    assert table.count("| 30 |") == len(zero)
    assert not untrained.shown(kept(0.5, 0.1))  # beyond 0.65 more often than once in 10,000
    gained = kept(0.2, 0.01)
    gained["3"]["q6.1"]["points"] = 0.5
    assert not untrained.shown(gained)
