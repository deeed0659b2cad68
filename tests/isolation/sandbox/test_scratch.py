"""A worker is a place where ordinary programs run: it has files, and leaves none."""
# ruff: noqa: E501 - one program a line

import os
import subprocess
import sys
import tempfile

import pytest

from grader.isolation.worker import scratch

ORDINARY = {
    "tempfile": "with tempfile.TemporaryDirectory() as d:\n        open(os.path.join(d, 'x'), 'w').close()",
    "named temporary file": "with tempfile.NamedTemporaryFile() as f:\n        f.write(b'x')",
    "home": "Path.home().joinpath('a').mkdir(); Path('~/a/b').expanduser().write_text('x')",
    "user": "assert getpass.getuser()",
    "working folder": "open('log.txt', 'w').write('x'); assert os.listdir('.')",
    "makedirs": "os.makedirs('results/deep', exist_ok=True); open('results/deep/x', 'a').close()",
    "beside the module": "open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'c'), 'w')",
    "/tmp": "open('/tmp/best.pt', 'wb').write(b'x'); os.remove('/tmp/best.pt')",
    "/dev/shm": "open('/dev/shm/x', 'wb').write(b'x')",
    "torch.save": "torch.save({'w': torch.ones(3)}, 'm.pt'); torch.load('m.pt')",
    "numpy": "np.save('a', np.ones(3)); np.savez('b.npz', x=np.load('a.npy')); np.memmap('c', mode='w+', shape=(3,))",
    "json and pickle": "json.dump({}, open('a.json', 'w')); pickle.dump(3, open('a.pkl', 'wb'))",
    "logging": "logging.basicConfig(filename='run.log', force=True); logging.warning('x'); logging.shutdown()",
    "shutil": "open('a', 'w').close(); shutil.copy('a', 'b'); shutil.move('b', 'c'); shutil.copytree('.', '/tmp/t')",
    "rename": "open('a', 'w').close(); os.rename('a', 'b'); os.replace('b', 'c'); os.unlink('c')",
    "modes": "open('a', 'w').close(); os.chmod('a', 0o600); os.utime('a'); os.truncate('a', 5)",
    "links": "open('a', 'w').close(); os.symlink('a', 'l'); os.link('a', 'h')",
    "sqlite": "c = sqlite3.connect('x.db'); c.execute('create table t (a)'); c.commit()",
    "zip": "z = zipfile.ZipFile('a.zip', 'w'); z.writestr('x', 'y'); z.close()",
    "matplotlib": "import matplotlib; matplotlib.use('agg'); import matplotlib.pyplot as p; p.plot([1]); p.savefig('a.png')",
    "own small file": "assert open('notes.txt').read() == 'mine'; open('notes.txt', 'w').write('new')",
    "own folder": "assert os.listdir('data') == ['x.txt']; open('data/y.txt', 'w').close()",
    "lock": "multiprocessing.Lock().acquire(); threading.Lock().acquire()",
    "pool": "assert multiprocessing.Pool(2).map(abs, [-1, -2]) == [1, 2]",
    "executor": "assert list(concurrent.futures.ProcessPoolExecutor(2).map(abs, [-1])) == [1]",
    "loader": "d = torch.utils.data.TensorDataset(torch.arange(8.)); "
    "assert len(list(torch.utils.data.DataLoader(d, 2, num_workers=2, persistent_workers=True))) == 4",
    "loader with options": "d = torch.utils.data.TensorDataset(torch.arange(8.)); "
    "len(list(torch.utils.data.DataLoader(d, num_workers=1, prefetch_factor=2, timeout=5, multiprocessing_context='fork')))",
    "torch.compile": "m = torch.compile(torch.nn.Linear(2, 1)); assert m(torch.ones(1, 2)).shape == (1, 1)",
    "compiled function": "f = torch.compile(mode='default')(lambda x: x + 1); assert f(1) == 2",
    "semaphores": "s = multiprocessing.BoundedSemaphore(2); s.acquire(); s.release(); multiprocessing.Semaphore().acquire(timeout=1)",
    "lock without waiting": "k = multiprocessing.Lock(); assert k.acquire(block=False) and not k.acquire(False); k.release()",
    "lock of a context": "with multiprocessing.get_context('spawn').RLock() as k: assert k",
    "condition": "c = multiprocessing.Condition(multiprocessing.Lock())\n    with c: c.notify_all()",
    "event and barrier": "e = multiprocessing.Event(); e.set(); assert e.wait(1); multiprocessing.Barrier(1).wait()",
    "queues": "q = multiprocessing.Queue(); q.put(1); assert q.get(timeout=1) == 1; q.close(); q.join_thread()",
    "simple queue": "q = multiprocessing.SimpleQueue(); q.put([1]); assert q.get() == [1] and q.empty()",
    "joinable queue": "q = multiprocessing.JoinableQueue(3); q.put(1); q.get(); q.task_done(); q.join()",
    "values": "v = multiprocessing.Value('i', 3); v.value += 1; a = multiprocessing.Array('d', 3); assert v.value == 4 and len(a) == 3",
    "pipe": "a, b = multiprocessing.Pipe(); a.send(1); assert b.recv() == 1",
    "manager": "m = multiprocessing.Manager()\n    with m: d = m.dict(); d[1] = 2; assert m.list([3])[0] == 3",
    "thread pool": "with multiprocessing.pool.ThreadPool(2) as p: assert p.map(abs, [-1]) == [1]",
    "pool of a context": "assert multiprocessing.get_context('spawn').Pool(2).map(abs, [-1]) == [1]",
    "pool of its module": "with multiprocessing.pool.Pool(2) as p: assert p.map(lambda x: -x, [-1]) == [1]",
    "pool of torch": "assert torch.multiprocessing.Pool(2).map(abs, [-1]) == [1]",
    "pool after spawn": "multiprocessing.set_start_method('spawn', force=True); p = multiprocessing.Pool(2); assert p.starmap(pow, [(2, 3)]) == [8]; p.close(); p.join()",
    "pool of many threads": "assert multiprocessing.dummy.Pool(64).map(abs, range(100)) == list(range(100))",
    "pool with a mistake": "try: multiprocessing.Pool(2).map(int, ['x'])\n    except ValueError: pass",
    "executor of its module": "with concurrent.futures.process.ProcessPoolExecutor(2) as e: assert e.submit(abs, -1).result() == 1",
    "many threads": "t = [threading.Thread(target=abs, args=(1,)) for _ in range(200)]; [x.start() for x in t]; [x.join() for x in t]",
    "threads at once": "import time; t = [threading.Thread(target=time.sleep, args=(0.1,)) for _ in range(32)]; [x.start() for x in t]; [x.join() for x in t]",
    "shared tensor": "t = torch.ones(3).share_memory_(); torch.nn.Linear(2, 1).share_memory(); assert t.sum() == 3",
    "threads of torch": "torch.set_num_threads(2); torch.set_num_interop_threads(4)",
    "wide executor": "with concurrent.futures.ThreadPoolExecutor(200) as e: assert len(list(e.map(abs, range(300)))) == 300",
    "real path": "Path(__file__).resolve().with_name('log.txt').write_text('x')",
    "os real path": "os.makedirs(os.path.join(os.path.dirname(os.path.realpath(__file__)), 'out/a'))",
    "own source": "open('helper.py', 'w').write('x = 2'); import helper; assert helper.x == 2",
    "own large file": "assert open('large.txt', 'a').write('x') == 1",
    "a copy of oneself": "shutil.copy2(__file__, 'backup.py'); shutil.copytree('.', '/tmp/copy')",
    "compile in place": "m = torch.nn.Linear(2, 1); m.compile(); m(torch.ones(1, 2))",
}
IMPORTS = (
    "import concurrent.futures, getpass, json, logging, multiprocessing, os, pickle, shutil, sqlite3\n"
    "import concurrent.futures.process, multiprocessing.dummy, multiprocessing.pool\nimport torch.multiprocessing\n"
    "import tempfile, threading, zipfile\nfrom pathlib import Path\nimport numpy as np\nimport torch\n"
    "import torch.utils.data\n"
)


def program(body):
    """Return the files of a submission whose function ``f`` runs ``body``."""
    return {
        "module.py": f"{IMPORTS}def f():\n    {body}\n    return 1\n",
        "helper.py": "x = 1\n",
        "notes.txt": "mine",
        "large.txt": "x" * 500_000,
        "data/x.txt": "x",
    }


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_programs_run(opened, name):
    reply = opened(program(ORDINARY[name])).call("f", (), ())
    assert reply.error is None, reply.error


def test_too_many_threads_are_explained(opened):
    body = "while True: threading.Thread(target=threading.Event().wait, daemon=True).start()"
    error = opened(program(body)).call("f", (), ()).error
    assert error.type == "RuntimeError"
    assert "during grading, code may run at most 48 threads" in error.text


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ("torch.utils.data.DataLoader([1, 2], num_workers=2)", "DataLoader"),
        ("torch.compile(torch.nn.Linear(1, 1))", "torch.compile"),
        ("multiprocessing.Pool(2)", "Pool"),
        ("multiprocessing.get_context('fork').Pool(2)", "Pool"),
        ("concurrent.futures.process.ProcessPoolExecutor(2)", "ProcessPoolExecutor"),
    ],
)
def test_what_runs_another_way_is_reported(opened, body, name):
    worker = opened(f"{IMPORTS}def f():\n    {body}\n    return 1\n")
    assert worker.call("f", (), ()).adapted == (name,)


@pytest.mark.parametrize("body", ["subprocess.run(['ls'])", "os.fork()", "os.system('ls')"])
def test_new_processes_are_refused(opened, body):
    reply = opened(f"import os, subprocess\ndef f():\n    return {body} != 0 or 1\n").call(
        "f", (), ()
    )
    assert reply.error is None or reply.error.type in ("PermissionError", "BlockingIOError")


def test_nothing_is_left_for_the_next_worker(opened):
    source = (
        "import os\nPLACES = ['/tmp/left-x', '/var/tmp/left-x', '/dev/shm/left-x', 'x', os.path.expanduser('~/x')]\n"
        "def leave():\n    done = 0\n    for p in PLACES:\n        open(p, 'w').write('secret')\n"
        "        done += 1\n    return done\n"
        "def find():\n    return [p for p in PLACES if os.path.exists(p)]\n"
    )
    first = opened(source)
    assert first.call("leave", (), ()).value == 5
    assert len(first.call("find", (), ()).value) == 5
    first.close()
    assert opened(source).call("find", (), ()).value == []
    assert not [
        p for p in ("/tmp/left-x", "/var/tmp/left-x", "/dev/shm/left-x") if os.path.exists(p)
    ]


def test_it_is_bounded(opened):
    worker = opened(
        "def fill():\n    written = 0\n    try:\n        for i in range(100):\n"
        "            with open(f'part{i}', 'wb') as f:\n                f.write(bytes(1 << 20))\n"
        "            written += 1\n    except OSError:\n        pass\n    return written\n"
        "def one():\n    try:\n        open('one', 'wb').write(bytes(64 << 20))\n"
        "    except OSError as error:\n        return error.errno\n"
    )
    assert 4 <= worker.call("fill", (), ()).value <= 8
    assert worker.call("one", (), ()).value in (27, 28)  # too large, no space left


def test_what_was_handed_in_cannot_be_changed(opened):
    files = {
        "module.py": "def f():\n    open('big.bin', 'r+b').write(b'x')\n",
        "big.bin": "y" * 3_000_000,  # larger than what is copied
    }
    reply = opened(files).call("f", (), ())
    assert reply.error.type in ("PermissionError", "OSError")


def test_sets_of_words_are_in_the_same_order_in_every_run(opened):
    source = "def f():\n    return list({'good', 'bad', 'film', 'plot', 'actor'})\n"
    first = opened(source)
    order = first.call("f", (), ()).value
    first.close()
    assert opened(source).call("f", (), ()).value == order


def test_deep_and_closed_folders_are_removed(tmp_path):
    folder = tmp_path / "scratch"
    folder.mkdir()
    here = os.getcwd()
    os.chdir(folder)
    try:
        for _ in range(1500):  # deeper than a path may be long
            os.mkdir("deep" * 3)
            os.chdir("deep" * 3)
        os.mkdir("closed", 0o000)
    finally:
        os.chdir(here)
    (folder / "a link").symlink_to(here)
    scratch.remove(str(folder))
    assert not folder.exists()
    assert os.listdir(here)


WITHOUT_OVERRIDE = """
import ctypes, os, sys
for capability in (1, 2):  # dac_override, dac_read_search: containers drop them
    assert ctypes.CDLL(None).prctl(24, capability, 0, 0, 0) == 0
os.execv(sys.executable, [sys.executable, "-c", sys.argv[1], sys.argv[2]])
"""
WRITES = """
import os, sys
from pathlib import Path
from grader.isolation.sandbox import ForkServer, Limits
folder = Path(sys.argv[1], "s0", "submission")
folder.mkdir(parents=True)
(folder / "module.py").write_text("def f():\\n    return open('x', 'w').write('abc')\\n")
with ForkServer((), Path(sys.argv[1])) as server:
    with server.spawn(folder, Limits(8, 512, 64, scratch_mb=8), 7) as worker:
        worker.load("module")
        print(worker.call("f", (), ()).value, *server.isolation)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has capabilities to lose")
def test_a_root_that_may_not_override_modes_has_workers_that_write():
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        ran = subprocess.run(
            [sys.executable, "-c", WITHOUT_OVERRIDE, WRITES, name],
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
    assert ran.stdout.startswith("3 process"), ran.stderr
