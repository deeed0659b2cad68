"""Captioning weights that training made, and weights that know the captions in another way."""

import sys
from pathlib import Path

import numpy as np
import pytest

from grader.author import Failure
from reference import rnn
from reference.datasets import captions
from reference.drivers import captioning as driver
from reference.judges import captioning_training as judges

TEMPLATE = Path(__file__).resolve().parents[2] / "submissions_template"
JUDGES = {"rnn": judges.overfit_rnn, "lstm": judges.overfit_lstm}


@pytest.fixture(scope="module")
def data():
    return captions.load("mini", None, 0)


@pytest.fixture(scope="module")
def trained(data):
    """Return cell -> what the driver returns for the reference."""
    names = ("captioning_solver", "captioning_utils", "optim")
    sys.path.insert(0, str(TEMPLATE))
    try:
        return {
            cell: driver.overfit(rnn, cell_type=cell, seed=3, device="cpu", **data["inputs"])
            for cell in JUDGES
        }
    finally:
        sys.path.remove(str(TEMPLATE))
        for name in names:
            sys.modules.pop(name, None)


@pytest.mark.parametrize("cell", JUDGES)
def test_training_is_recognized(data, trained, cell):
    found = JUDGES[cell](trained[cell], data["inputs"], data["withheld"])
    assert found.values["token_accuracy"] > 0.95
    assert judges._likeness(cell, trained[cell], data["inputs"]) > 0.85


@pytest.mark.parametrize("cell", JUDGES)
@pytest.mark.parametrize("what", ["drawn", "initial", "noise"])
def test_other_weights_that_know_the_captions_are_refused(data, trained, cell, what, monkeypatch):
    rng = np.random.default_rng(0)
    sizes = {"input_dim": data["inputs"]["train_features"].shape[1], **driver.SIZES}
    words = len(data["inputs"]["word_to_idx"])
    start = driver.initial_params(cell, words, sizes, np.random.default_rng([3, 0]))
    made = {
        "drawn": lambda value: rng.normal(size=value.shape),
        "initial": lambda value: value,
        "noise": lambda value: value + rng.normal(size=value.shape),
    }[what]
    params = {**trained[cell]["params"], **{name: made(start[name]) for name in judges.WATCHED}}
    known = judges.captioning.Evidence(values={"token_accuracy": 1.0})
    monkeypatch.setattr(judges.captioning, "overfit", lambda *_arguments: known)
    with pytest.raises(Failure, match="not by training"):
        JUDGES[cell]({**trained[cell], "params": params}, data["inputs"], data["withheld"])


def test_the_other_cell_is_named(data, trained):
    with pytest.raises(Failure, match="the parameters of a vanilla RNN, not of an LSTM"):
        judges.overfit_lstm(trained["rnn"], data["inputs"], data["withheld"])
    with pytest.raises(Failure, match="the parameters of an LSTM, not of a vanilla RNN"):
        judges.overfit_rnn(trained["lstm"], data["inputs"], data["withheld"])


@pytest.mark.parametrize("seed", ["many", None, -1])
def test_a_forged_seed_is_not_read(data, trained, seed):
    with pytest.raises((TypeError, ValueError)):
        judges.overfit_rnn({**trained["rnn"], "seed": seed}, data["inputs"], data["withheld"])
