"""Builds images without a daemon: a Debian base from debootstrap, the rest by buildah.

Everything lies below one folder, which can be deleted at any time. It needs root, the network (for
the base and, unless they are there, for wheels), ``buildah`` and ``debootstrap``.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SUITE = "bookworm"
PACKAGES = "python3,python3-venv,ca-certificates"
BASE, IMAGE = "localhost/grader-base", "localhost/grader"
BUILD_TIMEOUT_S, RUN_TIMEOUT_S = 900, 600
WHEELS = "/wheels"
PIP_ARGS = f"--no-index --find-links {WHEELS}"


def lacking() -> str | None:
    """Return why images cannot be built here; None if they can."""
    if os.geteuid() != 0:
        return "only root can build images here"
    missing = [name for name in ("buildah", "debootstrap") if shutil.which(name) is None]
    return f"not installed: {', '.join(missing)}" if missing else None


@dataclass(frozen=True)
class Ran:
    """How a command in a container ended."""

    status: int
    out: str
    seconds: float


class Images:
    """A store of images in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.wheels = folder / "wheels"
        folder.mkdir(parents=True, exist_ok=True)
        storage = ("--root", str(folder / "storage"), "--runroot", str(folder / "run"))
        self.command = ("buildah", "--storage-driver", "vfs", *storage)

    def buildah(self, *words: object, timeout_s: float = BUILD_TIMEOUT_S) -> str:
        """Run buildah; return what it prints."""
        ran = subprocess.run(
            [
                *self.command,
                *map(str, words),
            ],
            cwd=ROOT, capture_output=True, text=True, timeout=timeout_s, check=False,
        )  # fmt: skip
        if ran.returncode != 0:
            raise RuntimeError(f"buildah {words[0]}: {ran.stdout[-3000:]}{ran.stderr[-3000:]}")
        return ran.stdout.strip()

    def has(self, image: str) -> bool:
        """Say whether an image is there."""
        listed = json.loads(self.buildah("images", "--json") or "null")
        return any(f"{image}:latest" in (entry["names"] or ()) for entry in listed or ())

    def base(self) -> None:
        """Make the base image: a minimal Debian with its own Python."""
        if self.has(BASE):
            return
        tree = self.folder / "base"
        if not (tree / "usr" / "bin" / "python3").exists():
            shutil.rmtree(tree, ignore_errors=True)
            words = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, str(tree)]
            subprocess.run(words, check=True, stdout=subprocess.DEVNULL, timeout=BUILD_TIMEOUT_S)
        with self.container("scratch") as made:
            self.buildah("add", "--quiet", made.name, tree, "/")
            self.buildah("commit", "--quiet", made.name, BASE)

    def wheelhouse(self) -> None:
        """Fetch the wheels once, so that the image is built without an index.

        They are fetched again where other packages or versions are asked for.
        """
        texts = [(ROOT / name).read_bytes() for name in ("pyproject.toml", "constraints.txt")]
        wanted = hashlib.sha256(b"".join(texts)).hexdigest()
        complete = self.wheels / "complete"
        if complete.exists() and complete.read_text() == wanted:
            return
        self.wheels.mkdir(exist_ok=True)
        words = [sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:"]
        pins = ["--constraint", "constraints.txt", "setuptools>=77", "wheel"]
        target = ["--dest", str(self.wheels)]
        subprocess.run([*words, *target, *pins, *_needed()], cwd=ROOT, check=True)
        complete.write_text(wanted)

    def build(self, tag: str = IMAGE) -> float:
        """Build the repository's Dockerfile; return the seconds that took."""
        self.base()
        self.wheelhouse()
        started = time.monotonic()
        self.buildah(
            *("build", "--isolation", "chroot", "--layers=false"),
            *("--build-arg", f"BASE={BASE}", "--build-arg", f"PIP_ARGS={PIP_ARGS}"),
            *("--volume", f"{self.wheels}:{WHEELS}:ro", "--tag", tag, "."),
        )
        seconds = time.monotonic() - started
        self.buildah("rmi", "--prune")  # the image that this one replaces
        return seconds

    @contextlib.contextmanager
    def container(self, image: str) -> Iterator[Container]:
        """Make a container of an image, and remove it."""
        name = self.buildah("from", image)
        try:
            yield Container(self, name)
        finally:
            self.buildah("rm", name)


@dataclass(frozen=True)
class Container:
    """A container: a copy of an image's files, in which commands run."""

    images: Images
    name: str

    @property
    def files(self) -> Path:
        """The container's root folder."""
        return Path(self.images.buildah("mount", self.name))

    def run(
        self,
        *words: object,
        volumes: tuple[str, ...] = (),
        timeout_s: float = RUN_TIMEOUT_S,
        **variables: str,
    ) -> Ran:
        """Run a command as root in the container; output and errors come together."""
        options = [word for volume in volumes for word in ("--volume", volume)]
        options += [
            word for name, text in variables.items() for word in ("--env", f"{name}={text}")
        ]
        started = time.monotonic()
        ran = subprocess.run(
            [
                *self.images.command,
                *("run", "--isolation", "chroot", *options, self.name, "--", *map(str, words)),
            ],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout_s,
            check=False,
        )  # fmt: skip
        return Ran(ran.returncode, ran.stdout, time.monotonic() - started)


def _needed() -> list[str]:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [*project["dependencies"], *project["optional-dependencies"]["grading"]]
