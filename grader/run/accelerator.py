"""Whether training can run on an accelerator, found out without touching it in this process.

A process that has initialized CUDA cannot fork workers any more, so a process of its own asks.
"""

from __future__ import annotations

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
