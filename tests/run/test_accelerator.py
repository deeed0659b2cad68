"""Which of the machine's devices a grading process and its workers get."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from grader.isolation.sandbox.server import ForkServer
from grader.run import accelerator


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with so many devices: their files, and a clean environment."""
    monkeypatch.setattr(accelerator, "DEVICE_FILE", tmp_path / "nvidiactl")
    for name in ("CUDA_VISIBLE_DEVICES", "PYTORCH_CUDA_ALLOC_CONF"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)

    def made(count):
        for name in (
            "nvidiactl",
            "nvidia-uvm",
            "nvidia-caps",
            *(f"nvidia{n}" for n in range(count)),
        ):
            (tmp_path / name).touch()

    return made


@pytest.mark.parametrize(
    ("count", "processes", "taken", "memory"),
    [
        (0, 2, [None, None], None),
        (1, 1, ["0"], None),
        (1, 2, ["0", "0"], "0.500"),
        (2, 2, ["0", "1"], None),
        (2, 3, ["0", "1", "0"], "0.500"),
        (12, 12, [str(number) for number in range(12)], None),
    ],
)
def test_devices_are_shared_among_processes(count, processes, taken, memory, machine):
    machine(count)
    for number, device in enumerate(taken):
        os.environ.pop("CUDA_VISIBLE_DEVICES", None)
        accelerator.take(number, processes)
        assert os.environ.get("CUDA_VISIBLE_DEVICES") == device
    told = os.environ.get("PYTORCH_CUDA_ALLOC_CONF")
    assert told == (memory and f"per_process_memory_fraction:{memory}")


def test_only_devices_that_were_given_to_this_program_are_used(machine, monkeypatch):
    machine(8)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "6, GPU-5f1c")
    assert accelerator.devices() == ["6", "GPU-5f1c"]
    accelerator.take(1, 2)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "GPU-5f1c"


def test_without_a_device_cuda_means_cpu(machine):
    assert accelerator.usable("cuda") == "cpu"
    assert accelerator.usable("cpu") == "cpu"


@pytest.mark.parametrize("wanted", [True, False])
def test_a_fork_server_gives_them_to_workers_that_use_the_accelerator(
    wanted, tmp_path, monkeypatch
):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    monkeypatch.setenv("ANOTHER_SECRET", "x")
    (tmp_path / "staging").mkdir()
    with ForkServer((), tmp_path / "staging", accelerator=wanted) as server:
        raw = Path(f"/proc/{server._process.pid}/environ").read_bytes()
    names = {entry.partition(b"=")[0].decode(): entry for entry in raw.split(b"\0")}
    assert ("CUDA_VISIBLE_DEVICES" in names) == wanted
    assert "ANOTHER_SECRET" not in names
