"""How many bytes a second one worker can send to another that runs at the same time.

Run ``python benchmarks/covert_channels.py [--bits N]``. Two workers, each of a fork server of its
own, run side by side. One sends random bits over something that both can touch, one bit per slot
of time; the other guesses them. The capacity of a slot with an error rate e is 1 - H(e) bits (a
binary symmetric channel); of several lengths of slots the best is shown. Where nothing comes
through, about half of the bits are wrong, and what is left of the rate is luck.
"""

from __future__ import annotations

import argparse
import math
import random
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from grader.isolation.sandbox import ForkServer, Limits

SLOTS_S = (0.002, 0.01, 0.05)
CHANNELS = ("record locks", "flock", "page cache", "free memory", "free disk", "processor")
Servers = tuple[ForkServer, ForkServer]
MODULE = '''
import ctypes, fcntl, os, struct, tempfile, time
import numpy as np

SHARED = np.__file__
libc = ctypes.CDLL(None, use_errno=True)


def record(kind):
    return struct.pack("hhqqi4x", kind, 0, 4096, 1, 0)


class Locks:
    def __init__(self):
        self.fd = os.open(SHARED, os.O_RDONLY)

    def one(self):
        fcntl.fcntl(self.fd, fcntl.F_SETLK, record(fcntl.F_RDLCK))

    def zero(self):
        fcntl.fcntl(self.fd, fcntl.F_SETLK, record(fcntl.F_UNLCK))

    def look(self):
        found = fcntl.fcntl(self.fd, fcntl.F_GETLK, record(fcntl.F_WRLCK))
        return float(struct.unpack("hhqqi4x", found)[0] != fcntl.F_UNLCK)


class Flock(Locks):
    def one(self):
        fcntl.flock(self.fd, fcntl.LOCK_SH)

    def zero(self):
        fcntl.flock(self.fd, fcntl.LOCK_UN)

    def look(self):
        try:
            fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.flock(self.fd, fcntl.LOCK_UN)
        except BlockingIOError:
            return 1.0
        return 0.0


class PageCache(Locks):
    """The last page of a library: brought in, or dropped, by advice; seen by how long it takes."""

    def __init__(self):
        folder = os.path.join(os.path.dirname(SHARED), "random")
        names = [os.path.join(folder, name) for name in os.listdir(folder)]
        self.fd = os.open(max(names, key=os.path.getsize), os.O_RDONLY)
        self.at = os.fstat(self.fd).st_size // 4096 * 4096 - 4096

    def one(self):
        os.pread(self.fd, 1, self.at)

    def zero(self):
        os.posix_fadvise(self.fd, self.at, 4096, os.POSIX_FADV_DONTNEED)

    def look(self):
        started = time.perf_counter()
        os.pread(self.fd, 1, self.at)
        took = time.perf_counter() - started
        self.zero()
        return -took


class Memory:
    def __init__(self):
        self.held = None

    def one(self):
        self.held = np.ones(8 << 20)

    def zero(self):
        self.held = None

    def look(self):
        room = ctypes.create_string_buffer(512)
        if libc.sysinfo(room):
            raise OSError(ctypes.get_errno(), "sysinfo")
        return -float(struct.unpack_from("@lLLLLL", room)[5])


class Disk:
    def __init__(self):
        self.file = tempfile.TemporaryFile()

    def one(self):
        self.file.write(bytes(4 << 20))
        self.file.flush()

    def zero(self):
        self.file.seek(0)
        self.file.truncate()

    def look(self):
        return -float(os.fstatvfs(self.file.fileno()).f_bfree)


class Processor:
    """Both on one core where the kernel lets them choose; looking is seeing how fast one is."""

    def __init__(self):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        self.busy = False

    def one(self):
        self.busy = True

    def zero(self):
        self.busy = False

    def look(self):
        return None


CHANNELS = {"record locks": Locks, "flock": Flock, "page cache": PageCache, "free memory": Memory,
            "free disk": Disk, "processor": Processor}


def send(channel, bits, slot, start):
    made = CHANNELS[channel]()
    for index, bit in enumerate(bits):
        time.sleep(max(0.0, start + index * slot - time.monotonic()))
        (made.one if bit else made.zero)()
        while getattr(made, "busy", False) and time.monotonic() < start + (index + 1) * slot:
            pass
    return True


def receive(channel, count, slot, start):
    made = CHANNELS[channel]()
    seen = []
    for index in range(count):
        middle = start + (index + 0.6) * slot
        found = None
        if channel == "processor":
            time.sleep(max(0.0, start + index * slot - time.monotonic()))
            before = time.process_time()
            while time.monotonic() < middle:
                pass
            found = before - time.process_time()
        else:
            time.sleep(max(0.0, middle - time.monotonic()))
            found = made.look()
        seen.append(float(found))
    return np.array(seen)
'''


def main() -> None:
    """Print the best rate of each channel."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bits", type=int, default=400, help="bits per try")
    count = parser.parse_args().bits
    with tempfile.TemporaryDirectory(prefix="grader-") as name:
        staging = Path(name)
        staging.chmod(0o711)
        folder = staging / "submission"
        folder.mkdir()
        (folder / "talks.py").write_text(MODULE)
        for path, mode in ((folder, 0o755), (folder / "talks.py", 0o644)):
            path.chmod(mode)
        servers = ForkServer((), staging), ForkServer((), staging)
        print(f"layers: {', '.join(servers[0].isolation)}; {count} bits per try")
        try:
            for channel in CHANNELS:
                print(f"{channel:14} {best(servers, folder, channel, count)}", flush=True)
        finally:
            for server in servers:
                server.close()


def best(servers: Servers, folder: Path, channel: str, count: int) -> str:
    """Return the best rate of a channel over several lengths of slots."""
    told, most = "nothing came through", -1.0
    for slot in SLOTS_S:
        try:
            errors = error_rate(servers, folder, channel, count, slot)
        except RuntimeError as error:
            return f"refused: {error}"
        rate = (1 - entropy(errors)) / slot / 8
        if rate > most:
            most = rate
            told = f"{rate:7.2f} bytes/s (slots of {slot * 1e3:g} ms, {errors:.1%} wrong)"
    return told


def error_rate(servers: Servers, folder: Path, channel: str, count: int, slot: float) -> float:
    """Return the share of bits that arrive wrong, at most one half."""
    limits = Limits(timeout_s=120.0, memory_mb=1024, output_kb=64)
    sender, receiver = (server.spawn(folder, limits, 1) for server in servers)
    rng = random.Random(f"{channel} {slot}")
    bits = [rng.randrange(2) for _ in range(count)]
    try:
        for worker in (sender, receiver):
            worker.load("talks")
        start = time.monotonic() + 0.5
        with ThreadPoolExecutor(2) as both:
            sent = both.submit(sender.call, "send", (channel, bits, slot, start), ())
            got = both.submit(receiver.call, "receive", (channel, count, slot, start), ())
            replies = [sent.result(), got.result()]
    finally:
        for worker in (sender, receiver):
            worker.close()
    for reply in replies:
        if reply.error is not None:
            raise RuntimeError(f"{reply.error.type}: {reply.error.text}")
    return fewest_errors(bits, list(replies[1].value))


def fewest_errors(bits: list[int], seen: list[float]) -> float:
    """Return the error rate of the best threshold, which the receiver would know from before."""
    count = len(bits)
    wrong = [count]
    ordered = sorted(zip(seen, bits, strict=True))
    ones_below, zeros_below, ones = 0, 0, sum(bits)
    for index, (value, bit) in enumerate(ordered):
        ones_below, zeros_below = ones_below + bit, zeros_below + 1 - bit
        if index + 1 == count or ordered[index + 1][0] > value:
            wrong.append(ones_below + (count - ones - zeros_below))
    fewest = min(*wrong, ones, count - ones) / count
    return min(fewest, 1 - fewest)


def entropy(share: float) -> float:
    """Return the entropy of a coin in bits."""
    if share in (0.0, 1.0):
        return 0.0
    return -share * math.log2(share) - (1 - share) * math.log2(1 - share)


if __name__ == "__main__":
    main()
