"""Fork servers with torch and with stems, and modules written for one test."""

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
def plain_limits():
    return LIMITS


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


MODULE = """
import ctypes
import mmap
import os
import numpy as np

TOKEN = os.urandom(8).hex()
IMPORTED_BY = getattr(os, "getpid")()  # a module that asks for it is imported for each check
STATE = []
print("imported")

def who():
    return TOKEN, IMPORTED_BY, os.getpid()

def remember():
    STATE.append(1)
    return len(STATE)

def draw():
    return np.random.rand()

def write_a_file():
    with open("left", "w") as file:
        file.write("x")
    return sorted(os.listdir("."))

def files():
    return sorted(os.listdir("."))

def change_by_a_map(text):
    with open("data.txt", "r+b") as file:
        before = file.read().decode()
        with mmap.mmap(file.fileno(), 0) as shared:
            shared[:] = text.encode()
    return before

def leave():
    os._exit(3)

def fork():
    try:
        if os.fork() == 0:
            os._exit(0)
    except PermissionError:
        return "refused"
    return "allowed"

def fork_as_stems_do():
    return ctypes.CDLL(None).syscall({clone}, 0x8011, 0, 0, 0, 0)

def signal_the_stem():
    try:
        os.kill(IMPORTED_BY, 18)
    except PermissionError:
        return "refused"
    return "allowed"

def descriptors():
    found = []
    for fd in range(256):
        try:
            os.fstat(fd)
        except OSError:
            continue
        found.append(fd)
    return found
""".replace("{clone}", str({"x86_64": 56, "aarch64": 220}.get(os.uname().machine, 56)))
STEM_LIMITS = Limits(timeout_s=5, memory_mb=512, output_kb=64)


@pytest.fixture(scope="module")
def stem_server():
    # Not pytest's own folder for temporary files: that is closed to the user ids of workers.
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        with ForkServer((), Path(name)) as running:
            with running.spawn(made(running), STEM_LIMITS, 7, "module") as worker:
                worker.load("module")
                if worker._loaded is None:
                    pytest.skip("this machine has no stems")
            yield running


@pytest.fixture
def stem_folder(stem_server):
    return made(stem_server)


def made(server):
    folder = server.staging / f"s{next(_count)}"
    folder.mkdir()
    folder.chmod(0o755)
    (folder / "data.txt").write_text("before")
    (folder / "module.py").write_text(MODULE)
    return folder


@pytest.fixture
def checked(stem_server, stem_folder):
    """Write a submission; return a function that calls one of its functions in a check."""

    def write(module=MODULE):
        (stem_folder / "module.py").write_text(module)

        def check(function="who", *arguments, limits=STEM_LIMITS, seed=7, expected=1):
            asked = (stem_folder, limits, seed, "module", expected)
            with stem_server.spawn(*asked) as worker:
                assert worker.load("module").error is None
                reply = worker.call(function, arguments, ())
                assert reply.error is None, reply.error
                return reply.value

        return check

    return write
