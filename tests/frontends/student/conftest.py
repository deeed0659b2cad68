"""A student's bundle, made once, and unpacked where the repository is out of reach."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from grader.frontends.student import bundle
from tests.conftest import ROOT, SUBMISSIONS, Ran

# Runs in every process that starts below: what only some systems have is gone, and the folder of
# the repository, which an editable installation adds, with it.
WITHOUT_POSIX = """
import os, signal, socket, subprocess, sys

subprocess.Popen.kill = lambda self: self.send_signal(9)  # on POSIX it names signal.SIGKILL
for name in ("fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "syslog", "posixpath_"):
    sys.modules[name] = None
for module, names in (
    (os, "fork forkpty vfork getuid geteuid getgid getegid setsid killpg getpgid set_blocking "
         "wait3 wait4 waitid sched_getaffinity O_NOFOLLOW O_NONBLOCK O_CLOEXEC O_DIRECTORY "
         "pipe2 mkfifo chown geteuid setuid getgroups register_at_fork"),
    (signal, "SIGKILL SIGALRM SIGXCPU setitimer alarm pthread_kill"),
    (socket, "AF_UNIX send_fds recv_fds SOCK_SEQPACKET"),
):
    for attribute in names.split():
        if hasattr(module, attribute):
            delattr(module, attribute)
"""
OUT_OF_REACH = """
import sys
sys.meta_path[:] = [finder for finder in sys.meta_path if "editable" not in repr(finder).lower()]
sys.path[:] = [entry for entry in sys.path if "__editable__" not in entry]
"""


@dataclass(frozen=True)
class Unpacked:
    """A bundle on a student's machine."""

    home: Path
    wheel: Path

    def check(self, *arguments: str, site: str = "", timeout_s: float = 120) -> Ran:
        """Run ``grader check`` there, offline and with ``site`` run first in every process."""
        return self.grader("check", *arguments, site=site, timeout_s=timeout_s)

    def grader(self, *arguments: str, site: str = "", timeout_s: float = 120) -> Ran:
        """Run any command there, like ``check``."""
        environment = self.environment(site)
        ran = subprocess.run(
            [sys.executable, "-m", "grader", *arguments],
            cwd=self.home, env=environment, capture_output=True, text=True, timeout=timeout_s,
            check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        return Ran(ran.returncode, ran.stdout, ran.stderr)

    def environment(self, site: str = "") -> dict[str, str]:
        start = self.home.parent / "site"
        start.mkdir(exist_ok=True)
        (start / "sitecustomize.py").write_text(OUT_OF_REACH + site)
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return {**kept, "PYTHONPATH": os.pathsep.join([str(start), str(self.wheel)])}


@pytest.fixture(scope="session")
def archive(rubric) -> bytes:
    """The bundle of the shipped assignment."""
    return bundle.build(rubric, ROOT / "submissions_template")


@pytest.fixture(scope="session")
def pristine(archive, tmp_path_factory) -> Unpacked:
    """The bundle as it was unpacked, and its wheel; not to be changed."""
    folder = tmp_path_factory.mktemp("bundle")
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        file.extractall(folder)
    (home,) = folder.iterdir()
    wheel = folder / "wheel"
    (packed,) = home.glob("*.whl")
    with zipfile.ZipFile(packed) as file:
        file.extractall(wheel)
    return Unpacked(home, wheel)


@pytest.fixture
def unpacked(pristine, tmp_path) -> Unpacked:
    """A copy of the bundle to work in, with the answers of the plain full-mark example."""
    home = tmp_path / "homework"
    shutil.copytree(pristine.home, home)
    for name in ("rnn_layers.py", "rnn.py"):
        shutil.copy(SUBMISSIONS / "full_marks" / "plain" / name, home)
    return Unpacked(home, pristine.wheel)
