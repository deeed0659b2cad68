"""A fork server with torch, and modules written for one test."""

import itertools
import os
import tempfile
from pathlib import Path

import pytest

from grader.isolation.sandbox import ForkServer, Limits

LIMITS = Limits(timeout_s=8, memory_mb=1024, output_kb=64, scratch_mb=8)
_count = itertools.count()


@pytest.fixture(scope="session")
def torch_server():
    # Not pytest's own folder for temporary files: that is closed to the user ids of workers.
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        with ForkServer(("torch",), Path(name)) as running:
            yield running


@pytest.fixture
def opened(torch_server):
    """Write files into a submission of their own; return a worker that has loaded ``module``."""
    workers = []

    def run(files, module="module", limits=LIMITS):
        if isinstance(files, str):
            files = {"module.py": files}
        folder = torch_server.staging / f"s{next(_count)}" / "submission"
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        for part in [folder.parent, folder, *folder.rglob("*")]:
            part.chmod(0o755 if part.is_dir() else 0o644)
        worker = torch_server.spawn(folder, limits, 7)
        workers.append(worker)
        worker.loaded = worker.load(module)
        return worker

    yield run
    for worker in workers:
        worker.close()
