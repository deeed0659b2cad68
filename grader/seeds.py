"""Seeds: every check has its own random stream, the same on every machine and every day.

Hidden data of a class follow from a ``Secret``. What follows from a number that stands in a rubric
or on a command line (``seed_for``) is public: whoever has the assignment can draw it, or find the
number by trying. The generators of workers are seeded from public numbers only.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field

SEED_BITS = 48  # JSON readers keep integers exact up to 2**53
KEY_BYTES = 32
SECRET_SEED_BITS = 128  # of a check's data
FINGERPRINT_DIGITS = 12


def seed_for(assignment: str, check: str, seed: int, attempt: int = 0) -> int:
    """Return the public seed of a check, from the rubric's ``seed`` and the check's own id."""
    text = f"{assignment}\0{check}\0{seed}\0{attempt}".encode()
    digest = hashlib.blake2b(text, digest_size=SEED_BITS // 8).digest()
    return int.from_bytes(digest, "big")


@dataclass(frozen=True)
class Secret:
    """A key that only the instructor has; never part of a report, a message or a request.

    What follows from it is BLAKE2b under this key (RFC 7693): nobody can compute the key, or the
    seed of one check, from those of others.
    """

    key: bytes = field(repr=False)

    @classmethod
    def new(cls) -> Secret:
        """Return a secret from the system's random numbers."""
        return cls(secrets.token_bytes(KEY_BYTES))

    def seed_for(self, assignment: str, check: str) -> int:
        """Return the seed of a check's data, of 128 bits."""
        return int.from_bytes(self._keyed(f"{assignment}\0{check}", SECRET_SEED_BITS // 8), "big")

    @property
    def fingerprint(self) -> str:
        """Hexadecimal digits that say which secret it is, and nothing else about it."""
        return self._keyed("fingerprint", FINGERPRINT_DIGITS // 2).hex()

    def _keyed(self, text: str, size: int) -> bytes:
        return hashlib.blake2b(text.encode(), key=self.key, digest_size=size).digest()
