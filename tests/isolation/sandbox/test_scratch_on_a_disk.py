"""Where a worker has no root folder of its own, its files lie beside the submissions."""
# ruff: noqa: E501 - one program a line

import os
import tempfile
from pathlib import Path

import pytest

from grader.errors import WorkerLost
from grader.isolation.sandbox import ForkServer
from tests.isolation.sandbox.test_scratch import ORDINARY, program

WRITE = "open(str(i), 'wb').write(bytes(1 << 20))\n        time.sleep(0.01)"
FLOODS = {
    "many files": f"for i in range(1000):\n        {WRITE}",
    "empty files": "for i in range(100_000):\n        open(str(i), 'wb').close()",
    "deep": "for _ in range(999):\n        os.mkdir('d')\n        os.chdir('d')\n    time.sleep(1)",
    "in a closed folder": "os.mkdir('d', 0o300); os.chdir('d')\n"
    f"    for i in range(1000):\n        {WRITE}",
    "beside a link that leads out": "os.symlink('/', 'l')\n"
    f"    for i in range(1000):\n        {WRITE}",
    "in /tmp": f"os.chdir(os.environ['TMPDIR'])\n    for i in range(1000):\n        {WRITE}",
    "one file": "open('x', 'wb').write(bytes(64 << 20))",
}
LIMITS = {
    "empty files": "more than 16384 files and folders",
    "deep": "folders that lie more than 64 deep in one another",
}


@pytest.fixture(scope="module", params=["setuid", "landlock"])
def torch_server(request):
    without = ["namespaces", *(["setuid"] if request.param == "landlock" else [])]
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        with ForkServer(("torch",), Path(name), without=without) as running:
            if request.param not in running.isolation and not any(
                layer.startswith(request.param) for layer in running.isolation
            ):
                pytest.skip(f"this machine has no {request.param}")
            yield running


def test_programs_write(opened):
    source = (
        "import os, tempfile\ndef f():\n    open('x', 'w').write('x')\n    os.makedirs('a/b')\n"
        "    tempfile.mkdtemp()\n    os.remove('x')\n    return 1\n"
    )
    reply = opened(source).call("f", (), ())
    assert reply.value == 1, reply


TMP = {
    "open": "open('/tmp/x', 'w').write('x'); assert open('/tmp/x').read() == 'x'",
    "dev shm": "open('/dev/shm/x', 'wb').write(b'x'); assert os.listdir('/dev/shm') == ['x']",
    "makedirs": "os.makedirs('/tmp/a/b', exist_ok=True); assert os.path.isdir('/tmp/a/b')",
    "pathlib": "p = Path('/tmp/p'); p.write_text('x'); assert p.exists(); p.unlink()",
    "bytes": "os.mkdir(b'/var/tmp/b'); os.rmdir(b'/var/tmp/b')",
    "shutil": "open('a', 'w').close(); shutil.copy('a', '/tmp/c'); shutil.move('/tmp/c', '/tmp/d')",
    "numpy": "np.save('/tmp/n.npy', np.ones(2)); assert np.load('/tmp/n.npy').sum() == 2",
    "tempfile": "tempfile.NamedTemporaryFile(dir='/tmp').write(b'x'); tempfile.mkdtemp(dir='/tmp')",
    "rename": "open('/tmp/r', 'w').close(); os.replace('/tmp/r', '/tmp/s'); os.remove('/tmp/s')",
    "logging": "logging.basicConfig(filename='/tmp/l', force=True); logging.warning('x')",
    "text of numpy": "np.savetxt('/tmp/y.txt', [1.0]); assert np.loadtxt('/tmp/y.txt') == 1",
    "copy2": "open('/tmp/a', 'w').close(); shutil.copy2('/tmp/a', '/tmp/b'); shutil.copystat('/tmp/a', '/tmp/b')",
    "links": "open('/tmp/t', 'w').close(); os.symlink('/tmp/t', '/tmp/l'); assert open('/tmp/l').read() == ''",
    "sqlite": "c = sqlite3.connect('/tmp/x.db'); c.execute('create table t (a)'); c.commit()",
    "keywords": "open(file='/tmp/k', mode='w').close(); os.rename(src='/tmp/k', dst='/tmp/m'); os.stat(path='/tmp/m')",
    "bz2": "bz2.open('/tmp/x.bz2', 'wb').close(); gzip.open('/tmp/x.gz', 'wb').close(); lzma.open('/tmp/x.xz', 'wb').close()",
    "torch": "torch.save(torch.ones(2), '/tmp/a.pt'); assert torch.load('/tmp/a.pt').sum() == 2",
    "torch.jit": "torch.jit.save(torch.jit.script(torch.nn.Linear(2, 1)), '/tmp/j.pt'); torch.jit.load('/tmp/j.pt')",
    "chdir": "os.chdir('/tmp'); open('x', 'w').close(); assert os.path.exists('/tmp/x')",
}


@pytest.mark.parametrize("name", TMP)
def test_the_usual_folders_for_files_are_there(opened, name):
    imports = "import bz2, gzip, logging, lzma, os, shutil, sqlite3, tempfile, torch\nfrom pathlib import Path\nimport numpy as np\n"
    reply = opened(f"{imports}def f():\n    {TMP[name]}\n    return 1\n").call("f", (), ())
    assert reply.value == 1, reply.error


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_programs_run_there_too(opened, name):
    reply = opened(program(ORDINARY[name])).call("f", (), ())
    assert reply.error is None, reply.error


@pytest.mark.parametrize("name", FLOODS)
def test_it_is_bounded(opened, name):
    worker = opened(f"import os, time\ndef f():\n    {FLOODS[name]}\n    return 1\n")
    if name == "one file":
        assert "[Errno 27]" in worker.call("f", (), ()).error.text
        return
    limit = LIMITS.get(name, "more than 8 MiB of files")
    with pytest.raises(WorkerLost, match=f"wrote {limit}") as lost:
        worker.call("f", (), ())
    assert lost.value.reason == "output_limit"


def test_nothing_is_left(opened, torch_server):
    worker = opened(
        "import os\ndef f():\n    open('x', 'w').write('x')\n    os.mkdir('d', 0)\n    return 1\n"
    )
    worker.call("f", (), ())
    worker.close()
    assert not [
        entry for entry in torch_server.staging.rglob("*") if entry.name.startswith("scratch-")
    ]


def test_no_way_into_the_folder_of_another_worker(opened, torch_server):
    source = "import os\ndef here():\n    return os.getcwd()\n"
    source += "def look(at):\n    return os.listdir(at)\n"
    source += "def put(at):\n    open(at, 'w').close()\n    return 1\n"
    worker = opened(source)
    own = Path(worker.call("here", (), ()).value)
    other = own.parent.parent / "scratch-other"
    other.mkdir(mode=0o755)
    if torch_server.uid is None:
        assert worker.call("look", (str(other),), ()).error.type == "PermissionError"
    assert worker.call("put", (str(other / "x"),), ()).error.type == "PermissionError"
    assert worker.call("put", (str(own.parent.parent / "x"),), ()).error.type == "PermissionError"
