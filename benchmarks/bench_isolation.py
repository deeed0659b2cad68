"""How long a locked-down child takes to be ready, and what each layer adds.

Run with ``make bench`` or ``python benchmarks/bench_isolation.py [--count N]``. A child is ready
when the answer to its first request has arrived: the request to the fork server, the fork, every
layer, and one round trip over the wire. Times of different layers are taken in turns, so that a
busy moment of the machine hits all alike; the ratios travel, the times do not.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from grader.isolation.sandbox import ForkServer, Limits
from grader.isolation.sandbox.policy import EVERY_LAYER

LIMITS = Limits(timeout_s=20.0, memory_mb=512, output_kb=64)
GOAL_MS = 15.0
NO_FILES = "without scratch folder"


def main() -> None:
    """Print the medians for servers with and without torch, and with layers left out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=200, help="children per variant")
    count = parser.parse_args().count
    with tempfile.TemporaryDirectory(prefix="grader-") as name, contextlib.ExitStack() as stack:
        staging = Path(name)
        staging.chmod(0o711)
        folder = staging / "submission"
        folder.mkdir()
        (folder / "answer.py").write_text("def answer():\n    return 42\n")
        for path in (folder, folder / "answer.py"):
            path.chmod(0o755)
        variants = {
            ("numpy", "all layers"): ForkServer((), staging),
            ("numpy", "torch forbidden"): ForkServer((), staging, hidden=("torch",)),
            ("numpy", "no layer"): ForkServer((), staging, without=EVERY_LAYER),
            **{
                ("numpy", f"without {layer}"): ForkServer((), staging, without=[layer])
                for layer in ("namespaces", "landlock", "seccomp")
            },
            ("torch", "all layers"): ForkServer(("torch",), staging),
            ("torch", "no layer"): ForkServer(("torch",), staging, without=EVERY_LAYER),
        }
        for server in variants.values():
            stack.callback(server.close)
        limits = dict.fromkeys(variants, LIMITS)
        for libraries in ("numpy", "torch"):
            variants[libraries, NO_FILES] = variants[libraries, "all layers"]
            limits[libraries, NO_FILES] = replace(LIMITS, scratch_mb=0)
        on_disk = ForkServer((), staging, without=["namespaces", "setuid"])
        stack.callback(on_disk.close)
        for key, given in (
            ("files on a disk", LIMITS),
            ("the same, no files", limits["numpy", NO_FILES]),
        ):
            variants["numpy", key], limits["numpy", key] = on_disk, given
        times: dict[tuple[str, str], list[float]] = {key: [] for key in variants}
        for turn in range(count + 5):
            for key, server in variants.items():
                started = time.perf_counter()
                with server.spawn(folder, limits[key], turn) as worker:
                    worker.load("answer")
                    elapsed = time.perf_counter() - started
                if turn >= 5:  # the first ones warm the caches
                    times[key].append(elapsed * 1000)
        print(f"{count} children each; milliseconds from the request to the first answer")
        print(f"{'server':8}{'isolation':24}{'median':>8}{'p95':>8}")
        for (libraries, isolation), values in times.items():
            p95 = sorted(values)[int(0.95 * len(values))]
            median = statistics.median(values)
            print(f"{libraries:8}{isolation:24}{median:8.1f}{p95:8.1f}")
        worst = max(statistics.median(times[key]) for key in times if key[1] == "all layers")
        verdict = "met" if worst <= GOAL_MS else "missed"
        layers = ", ".join(variants["numpy", "all layers"].isolation)
        print(f"goal {GOAL_MS:g} ms: {verdict} ({worst:.1f} ms); layers: {layers}")


if __name__ == "__main__":
    main()
