"""How much memory this container has, and which checks can run with it.

Sources: Linux kernel documentation, ``admin-guide/cgroup-v2.rst`` (``memory.max``) and
``admin-guide/cgroup-v1/memory.rst`` (``memory.limit_in_bytes``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from grader.errors import UsageError
from grader.model import Question

MIB = 1024 * 1024
VARIABLE = "GRADER_MEMORY_MB"
# Measured for the reference on the mini tier (docs/gradescope.md), with a margin: the grading
# processes and one fork server, then the least that a worker needs on top of them. Checks that need
# only numpy come first, before the grader itself has loaded torch.
OURS_NUMPY_MB, WORKER_NUMPY_MB = 160, 100
OURS_TORCH_MB, WORKER_TORCH_MB = 620, 280
UNLIMITED = 1 << 50  # version 1 writes a number near 2**63 for no limit


def limit_mb(environment: Mapping[str, str], root: Path = Path("/")) -> int | None:
    """Return the memory that this container may use in MiB; None if that is unknown.

    Args:
        environment: ``GRADER_MEMORY_MB`` replaces what the kernel says.
        root: the folder below which ``proc`` and ``sys`` are.

    Raises:
        UsageError: the variable is not a number.
    """
    named = environment.get(VARIABLE, "")
    if named:
        if not named.isascii() or not named.isdigit() or int(named) == 0:
            raise UsageError(f"{VARIABLE}={named}: must be a number of MiB, such as 3072")
        return int(named)
    found = [value for path in _limit_files(root) if (value := _number(path)) is not None]
    machine = re.search(r"MemTotal:\s+(\d+) kB", _text(root / "proc" / "meminfo"))
    if machine is not None:
        found.append(int(machine[1]) * 1024)
    return min(found) // MIB if found else None


def needed_mb(question: Question) -> int:
    """Return the least memory in MiB with which a question can be graded at all."""
    worker = WORKER_TORCH_MB if "torch" in question.preload else WORKER_NUMPY_MB
    return ours_mb(question) + worker


def ours_mb(question: Question) -> int:
    """Return the memory in MiB that the grader's own processes take for a question."""
    return OURS_TORCH_MB if "torch" in question.preload else OURS_NUMPY_MB


def _limit_files(root: Path) -> Iterator[Path]:
    """Yield the files that hold the limits of this process' control groups and of those above."""
    mounted = root / "sys" / "fs" / "cgroup"
    for line in _text(root / "proc" / "self" / "cgroup").splitlines():
        _number_of, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        if controllers and "memory" not in controllers.split(","):
            continue
        base = mounted / "memory" if controllers else mounted
        name = "memory.limit_in_bytes" if controllers else "memory.max"
        # Inside a container the path may be the host's; then only the mount itself is there.
        inner = PurePosixPath(group.lstrip("/"))
        for folder in (inner, *inner.parents):
            yield base / folder / name


def _number(path: Path) -> int | None:
    text = _text(path).strip()
    if not text.isascii() or not text.isdigit() or int(text) >= UNLIMITED:
        return None
    return int(text)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
