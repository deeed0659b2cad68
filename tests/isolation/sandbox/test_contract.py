"""The contract of isolation, and that it notices every layer that is missing."""

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from grader.errors import BrokenError, IsolationError
from grader.isolation.sandbox import ForkServer, Limits, Policy, contract
from grader.isolation.sandbox.policy import EVERY_LAYER
from tests.conftest import ROOT

HIDDEN = (ROOT / "rubric.yaml", ROOT / "reference" / "rnn_layers.py")
BY_NAME = {attack.name: attack for attack in (*contract.PROBES, *contract.DEADLY)}


@pytest.fixture(scope="module")
def staging():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "staging"
        folder.mkdir()
        for part in (folder, folder.parent):
            part.chmod(0o711)
        yield folder


def open_doors(staging, without, suite=contract.canary):
    """Return the names of the attacks that succeed without these layers, and the verdict."""
    with ForkServer((), staging, without=without) as server:
        verdict = suite(server, HIDDEN)
    return {finding.attack.name for finding in verdict.findings if not finding.stopped}, verdict


def needs(*layers):
    """Skip where this machine lacks a layer that is to be switched off."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o711)
        with ForkServer((), Path(name)) as server:
            missing = {layer: server.missing[layer] for layer in layers if layer in server.missing}
    if missing:
        pytest.skip(f"this machine has not all layers: {missing}")


def test_every_attack_is_stopped_here(staging):
    needs(*EVERY_LAYER)
    found, verdict = open_doors(staging, (), contract.full_suite)
    assert found == set()
    assert verdict.level == "full"
    assert len(verdict.findings) == len(contract.PROBES) + len(contract.DEADLY)
    assert verdict.described() == ["full", f"{len(verdict.findings)} of 40 attacks stopped"]


SWITCHED_OFF = {
    "environment": {"sees_the_environment"},
    "rlimits": {"has_no_limits"},
    "namespaces": {"sees_names"},
    "setuid": {"is_root"},
    "landlock": {"lists_the_machine"},
    "seccomp": {
        "starts_processes", "opens_sockets", "shares_memory", "uses_doors_of_the_kernel",
        "signals_by_a_file", "opens_the_grader", "outlives_the_grader",
    },
}  # fmt: skip


@pytest.mark.parametrize("layer", SWITCHED_OFF)
def test_a_layer_that_is_off_is_noticed(layer, staging):
    needs(layer)
    found, verdict = open_doors(staging, [layer])
    assert found >= SWITCHED_OFF[layer]
    for name in SWITCHED_OFF[layer]:
        assert layer in BY_NAME[name].layers, f"{name} is said to be stopped by another layer"
    demanded = {BY_NAME[name].needed_for for name in found}
    expected = "none" if "partial" in demanded else "partial" if "full" in demanded else "full"
    assert verdict.level == expected


def test_no_new_privs_is_noticed(staging):
    # The filter and Landlock cannot be put on without it.
    needs("no_new_privs", "seccomp", "landlock")
    found, _ = open_doors(staging, ["no_new_privs", "seccomp", "landlock"])
    assert "may_gain_privileges" in found


def test_what_two_layers_stop_succeeds_without_both(staging):
    needs("namespaces", "landlock")
    found, verdict = open_doors(staging, ["namespaces", "landlock"])
    assert {"reads_the_reference", "reads_a_neighbour"} & found
    assert verdict.level == "partial"


def test_without_any_layer_nearly_everything_succeeds(staging):
    needs(*EVERY_LAYER)
    found, verdict = open_doors(staging, EVERY_LAYER)
    assert len(found) >= len(contract.PROBES) - 4
    assert verdict.level == "none"


@pytest.mark.parametrize(
    ("without", "least", "refused"),
    [
        ((), "full", False),
        (("seccomp",), "full", True),
        (("seccomp",), "partial", False),
        (("rlimits",), "partial", True),
        (("rlimits",), "none", False),
    ],
)
def test_less_than_was_asked_for_is_refused(without, least, refused, staging):
    needs("seccomp", "landlock", "rlimits")
    policy = Policy(least, HIDDEN)
    with ForkServer((), staging, without=without) as server:
        if not refused:
            assert policy.admit(server).level in ("full", "partial", "none")
            return
        with pytest.raises(IsolationError) as error:
            policy.admit(server)
    assert "nothing was graded" in str(error.value)
    assert "grader doctor" in str(error.value)


def test_attacks_that_fail_by_a_mistake_of_ours_do_not_count_as_stopped(staging, monkeypatch):
    monkeypatch.setattr(
        contract, "PROBES", (*contract.PROBES, contract.Attack("no_such_attack", "", "", ()))
    )
    with ForkServer((), staging) as server, pytest.raises(BrokenError, match="KeyError"):
        contract.canary(server, ())


def test_nothing_of_the_attacks_stays_behind(staging):
    before = sorted(os.listdir(staging.parent))
    with ForkServer((), staging) as server:
        contract.full_suite(server, HIDDEN)
    assert os.listdir(staging) == []
    assert sorted(os.listdir(staging.parent)) == before


def test_a_forbidden_package_is_not_there_and_its_files_cannot_be_read(staging):
    folder = staging / "forbidden"
    folder.mkdir()
    source = """
import importlib.util, os, sys
import numpy

def reads(path):
    with open(path, "rb") as file:
        return len(file.read(10))

def loaded():
    return [name for name in sys.modules if name.partition(".")[0] == "torch"]

def unhooked():
    sys.meta_path[:] = [f for f in sys.meta_path if "Closed" not in type(f).__name__]
    import torch
    return torch.__version__
"""
    (folder / "module.py").write_text(source)
    folder.chmod(0o755)
    torch_file = next(
        file for entry in sys.path if (file := Path(entry, "torch", "version.py")).is_file()
    )
    limits = Limits(timeout_s=20, memory_mb=2048, output_kb=64)
    with (
        ForkServer((), staging, hidden=("torch",)) as server,
        server.spawn(folder, limits, 1) as worker,
    ):
        assert worker.load("module").error is None
        assert worker.call("loaded", (), ()).value == []
        assert worker.call("reads", (str(torch_file),), ()).error is not None
        assert worker.call("reads", (__import__("numpy").__file__,), ()).value == 10
        # An empty folder at most, where its files are: a module without anything in it.
        error = worker.call("unhooked", (), ()).error
        assert error is not None
        assert {"ImportError", "OSError", "AttributeError"} & set(error.kinds)


TRAINING = """
import hashlib
import numpy as np
import torch

def train():
    torch.set_num_threads(1)
    torch.manual_seed(5)
    np.random.seed(5)
    x = torch.tensor(np.random.randn(64, 12), dtype=torch.float32)
    y = (x.sum(1) > 0).long()
    net = torch.nn.Sequential(
        torch.nn.Linear(12, 32), torch.nn.ReLU(), torch.nn.Dropout(0.3), torch.nn.Linear(32, 2))
    optimiser = torch.optim.Adam(net.parameters(), 0.01)
    for _ in range(40):
        order = torch.randperm(64)
        for batch in order.split(16):
            optimiser.zero_grad()
            torch.nn.functional.cross_entropy(net(x[batch]), y[batch]).backward()
            optimiser.step()
    digest = hashlib.sha256()
    for value in net.state_dict().values():
        digest.update(value.numpy().tobytes())
    return digest.hexdigest()
"""


def test_training_is_bit_identical_with_and_without_isolation(staging):
    folder = staging / "training"
    folder.mkdir()
    (folder / "module.py").write_text(TRAINING)
    folder.chmod(0o755)
    limits = Limits(timeout_s=60, memory_mb=2048, output_kb=64)
    digests = []
    for without in ((), EVERY_LAYER):
        with (
            ForkServer(("torch",), staging, without=without) as server,
            server.spawn(folder, limits, 1) as worker,
        ):
            assert worker.load("module").error is None
            reply = worker.call("train", (), ())
            assert reply.error is None, reply.error
            digests.append(reply.value)
    program = "from module import train; print(train())"
    plain = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder, capture_output=True, text=True, check=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    digests.append(plain.stdout.strip())
    assert len(digests[0]) == len(hashlib.sha256().hexdigest())
    assert len(set(digests)) == 1
