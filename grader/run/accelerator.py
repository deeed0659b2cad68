"""Whether training can run on an accelerator, and who gets which, without touching one here.

A process that has initialized CUDA cannot fork workers any more, so a process of its own asks.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path

from grader.model import Device

DEVICE_FILE = Path("/dev/nvidiactl")
QUESTION = "import torch, sys; sys.exit(not torch.cuda.is_available())"
TIMEOUT_S = 120.0  # importing torch from a cold disk


def usable(wanted: Device) -> Device:
    """Return ``wanted`` if this machine has it, else ``cpu``."""
    if wanted == "cpu" or not DEVICE_FILE.exists():
        return "cpu"
    try:
        asked = subprocess.run(
            [sys.executable, "-c", QUESTION], timeout=TIMEOUT_S, check=False, capture_output=True
        )
    except (OSError, subprocess.TimeoutExpired):
        return "cpu"
    return wanted if asked.returncode == 0 else "cpu"


def take(number: int, processes: int) -> None:
    """Give one grading process its device, and its part of the device's memory.

    Its fork servers pass both on to workers (``FOR_DEVICES``): process ``number`` of so many
    ``processes`` gets the device ``number`` modulo their count, and the workers of processes that
    share a device may fill it together, but not alone. That stops mistakes; student code could
    raise its own part.

    Source: "Optimizing memory usage" in the CUDA notes of torch, ``per_process_memory_fraction``.
    """
    found = devices()
    if not found:
        return
    os.environ["CUDA_VISIBLE_DEVICES"] = found[number % len(found)]
    sharing = math.ceil(processes / len(found))
    if sharing > 1:
        os.environ["PYTORCH_CUDA_ALLOC_CONF"] = f"per_process_memory_fraction:{1 / sharing:.3f}"


def devices() -> list[str]:
    """Return the devices that this process may use, as CUDA_VISIBLE_DEVICES names them."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        return [name.strip() for name in named.split(",") if name.strip()]
    numbers = (path.name.removeprefix("nvidia") for path in DEVICE_FILE.parent.glob("nvidia*"))
    return sorted((number for number in numbers if number.isdigit()), key=int)
