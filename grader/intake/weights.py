"""Files among a submission that can hold trained weights: noted for a person."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from grader.intake.archives import shown

SUFFIXES = (
    *(".pt", ".pth", ".ckpt", ".safetensors", ".npz", ".npy", ".pkl", ".pickle", ".joblib"),
    *(".h5", ".hdf5", ".onnx"),
)
LEAST_BYTES = 4096  # smaller ones hold settings, or results
MOST_NAMED = 5


def note(folder: Path, files: Sequence[str], supplied: Sequence[Path]) -> str:
    """Return a note about files that can hold weights; empty if there are none.

    Args:
        folder: where the submission is.
        files: its files, relative to ``folder``.
        supplied: files that the assignment hands out.
    """
    known = {path.name for path in supplied}
    found = []
    for name in files:
        size = (folder / name).stat().st_size
        if name.lower().endswith(SUFFIXES) and size >= LEAST_BYTES and Path(name).name not in known:
            found.append(f"{shown(name)} ({size / 1024:.0f} KiB)")
    if not found:
        return ""
    more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    return f"{', '.join(found[:MOST_NAMED])}{more} may hold weights that were trained before"
