"""Replaces its own files and their compiled forms, for the checks that follow."""

import os
from pathlib import Path

from honest_layers import *

here = Path(__file__).resolve().parent
for target in (here / "honest_layers.py", here / "__pycache__" / "honest_layers.cpython-311.pyc"):
    for change in (
        lambda: os.chmod(here, 0o777),
        lambda: target.parent.mkdir(exist_ok=True),
        lambda: target.unlink(),
        lambda: target.rename(here / "gone.py"),
        lambda: target.write_text("raise SystemExit"),
    ):
        try:
            change()
        except OSError:
            pass
