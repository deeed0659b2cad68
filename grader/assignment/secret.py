"""The file with the secret that a class's hidden data are drawn from.

It is made at the first use and kept where only its owner can read it, outside the assignment's
folder: that is packed, published and copied. The same file gives the same data on every machine.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from grader.assignment import state
from grader.errors import UsageError
from grader.intake.names import safe_id
from grader.seeds import KEY_BYTES, Secret

VARIABLE = "GRADER_SEED_FILE"
LEAST_BYTES = 16
MAX_FILE_BYTES = 4096
OTHERS = stat.S_IRWXG | stat.S_IRWXO
COMMENT = "# Hidden data are drawn from this. Whoever has it can compute them: show it to nobody."
PUBLIC, SECRET = "public ", "secret "  # how a report begins to say what its data were drawn from


@dataclass(frozen=True)
class SecretFile:
    """A secret, the file that it is kept in, and whether this call has made it."""

    secret: Secret
    path: Path
    is_new: bool = False


def usual_path(assignment: str) -> Path:
    """Return where the secret of an assignment is kept unless another file is named.

    Raises:
        UsageError: the user has no home folder.
    """
    return state.folder() / f"{safe_id(assignment)}.seed"


def read_or_make(assignment: str, named: Path | None = None) -> SecretFile:
    """Return the secret of an assignment; it is made if there is none yet.

    Args:
        assignment: the assignment's id in the rubric.
        named: the file, in place of the usual one.

    Raises:
        UsageError: the file cannot be read or made, others can read it, or it holds no secret.
    """
    path = named or usual_path(assignment)
    try:
        is_there = path.exists()
    except OSError as error:  # a folder on the way to it is closed
        raise _unreadable(path, error) from None
    is_new = not is_there and _made(path)
    return SecretFile(read(path), path, is_new)


def read(path: Path) -> Secret:
    """Return the secret in a file.

    Raises:
        UsageError: it cannot be read, others can read it, or it holds no secret.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            raw = file.read(MAX_FILE_BYTES)
    except OSError as error:
        raise _unreadable(path, error) from None
    if os.name == "posix" and mode & OTHERS:
        raise UsageError(
            f"{path}: others can read or change the secret seed (mode {stat.S_IMODE(mode):o}): "
            f"chmod 600 {path}"
        )
    return Secret(_parsed(raw, path))


def _unreadable(path: Path, error: OSError) -> UsageError:
    return UsageError(
        f"{path}: the secret seed cannot be read: {error.strerror}; its owner can, or name "
        "another file with --seed-file FILE"
    )


def text_of(secret: Secret) -> str:
    """Return what the file of a secret holds."""
    return f"{COMMENT}\n{secret.key.hex()}\n"


def label(secret: Secret | None, public: int) -> str:
    """Return what a report says of the seed that its data were drawn from."""
    return f"{PUBLIC}{public}" if secret is None else f"{SECRET}{secret.fingerprint}"


def of_report(assignment: str, seed: str | None, file: Path | None = None) -> Secret | int:
    """Return what a report's data were drawn from: a secret, or a public number.

    Args:
        assignment: the assignment's id.
        seed: what the report says of it.
        file: the file with the secret, if it is not the usual one or that of ``GRADER_SEED_FILE``.

    Raises:
        UsageError: the report names another secret than the file holds, or no seed.
    """
    told = seed or ""
    if told.startswith(PUBLIC) and told.removeprefix(PUBLIC).isdecimal():
        return int(told.removeprefix(PUBLIC))
    if not told.startswith(SECRET):
        raise UsageError("the report does not say what its data were drawn from: grade again")
    named = os.environ.get(VARIABLE)
    path = file or (Path(named) if named else usual_path(assignment))
    secret = read(path)
    if label(secret, 0) != told:
        raise UsageError(
            f"{path}: holds the secret {secret.fingerprint}, and the report was made with "
            f"{told.removeprefix(SECRET)}: name the file with that one: --seed-file FILE"
        )
    return secret


def _parsed(raw: bytes, path: Path) -> bytes:
    lines = raw.decode("utf-8-sig", errors="replace").splitlines()
    words = "".join(line.strip() for line in lines if not line.startswith("#"))
    with contextlib.suppress(ValueError):
        key = bytes.fromhex(words)
        if LEAST_BYTES <= len(key) <= 2 * KEY_BYTES:
            return key
    raise UsageError(
        f"{path}: holds no secret seed: there must be {2 * LEAST_BYTES} to {4 * KEY_BYTES} "
        "hexadecimal digits; move the file away to have a new one made"
    )


def _made(path: Path) -> bool:
    """Write a new secret; of two graders that do so at once, one wins and False is the other's."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".seed-", dir=path.parent)  # mode 600
        try:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(text_of(Secret.new()))
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):
                os.link(name, path)
                return True
        finally:
            Path(name).unlink()
    except OSError as error:
        raise UsageError(
            f"{path}: the secret seed cannot be kept here: {error.strerror}; name a file for it "
            "with --seed-file FILE"
        ) from None
    return False
