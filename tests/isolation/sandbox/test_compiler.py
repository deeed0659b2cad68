"""torch's compiler sleeps in workers: programs that need it find it, and all others do without."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import numpy as np
import pytest

from grader.isolation.sandbox import ForkServer, Limits, Policy
from grader.isolation.worker import compiler

LIMITS = Limits(timeout_s=8, memory_mb=1024, output_kb=64, scratch_mb=8)

# A program that names it would find it awake.
IS_ASLEEP = "'Sleep' in type(sys.modules['torch._dyn' + 'amo']).__name__"
TRAINING = """
import hashlib, sys, torch
torch.manual_seed(3)
digest = hashlib.sha256()
for name in ("SGD", "Adam", "AdamW", "Adagrad", "RMSprop", "Adadelta", "NAdam", "Rprop"):
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1))
    optimizer = getattr(torch.optim, name)(model.parameters(), lr=0.01)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 2)
    for _step in range(5):
        optimizer.zero_grad()
        model(torch.rand(8, 3)).square().mean().backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    optimizer.load_state_dict(optimizer.state_dict())
    for value in model.state_dict().values():
        digest.update(value.numpy().tobytes())
"""
NEEDED = {
    "checkpoint": """
        from torch.utils.checkpoint import checkpoint
        x = torch.ones(2, requires_grad=True)
        checkpoint(lambda value: value * 2, x, use_reentrant=False).sum().backward()
        return x.grad.numpy()
    """,
    "a part of it": """
        import torch._dynamo.config
        return float(torch._dynamo.config.recompile_limit > 0)
    """,
    "its functions": """
        torch._dynamo.reset()
        return float(len(torch._dynamo.list_backends(None)) > 0)
    """,
    "from it": """
        from torch._dynamo import allow_in_graph
        return float(allow_in_graph(f) is f)
    """,
    "from a part of it": """
        from torch._dynamo.decorators import mark_dynamic
        mark_dynamic(torch.ones(2), 0)
        return 1.0
    """,
    "another part": """
        from torch._dynamo.package import CompilePackage
        return float(isinstance(CompilePackage, type))
    """,
    "deep down": """
        from torch.utils.checkpoint import checkpoint
        def down(depth):
            if depth:
                return down(depth - 1)
            return checkpoint(lambda value: value * 2, torch.ones(2), use_reentrant=False)
        return down(800).numpy()
    """,
    "two threads": """
        import threading
        failed = []
        def one(work):
            try:
                work()
            except Exception as error:
                failed.append(error)
        def suppress():
            torch._dynamo.config.suppress_errors = True
        both = suppress, torch._dynamo.reset
        threads = [threading.Thread(target=one, args=[work]) for work in both]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return float(not failed)
    """,
}


def output(program):
    """Run a program in a process of its own; return what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_training_gives_the_same_bits_and_wakes_nothing():
    asleep = "import torch\nfrom grader.isolation.worker import compiler\n"
    asleep += f"assert compiler.put_to_sleep()\n{TRAINING}\nassert {IS_ASLEEP}\n"
    told = "print(digest.hexdigest())"
    assert output(asleep + told) == output(TRAINING + told)


def test_without_torch_or_with_its_compiler_at_work_nothing_is_done():
    program = """
        import sys
        from grader.isolation.worker import compiler
        print(compiler.put_to_sleep(), "torch" in sys.modules)
        import torch._dynamo
        print(compiler.put_to_sleep(), type(torch._dynamo).__name__)
    """
    assert output(textwrap.dedent(program)) == ["False", "False", "False", "module"]


@pytest.fixture(scope="module")
def asleep():
    """Write a module that does not name it; return a worker of a server in which it sleeps.

    The first workers of that server are the canary's, whose code must not name it either.
    """
    workers = []
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        with ForkServer(("torch",), Path(name)) as server:
            Policy().admit(server)

            def run(text, **others):
                for worker in workers[-1:]:  # a server has one at a time
                    worker.close()
                folder = server.staging / f"s{len(workers)}" / "submission"
                folder.mkdir(parents=True)
                for part in (folder.parent, folder):
                    part.chmod(0o755)
                for name, other in {"module": text, **others}.items():
                    (folder / f"{name}.py").write_text(other)
                    (folder / f"{name}.py").chmod(0o644)
                worker = server.spawn(folder, LIMITS, 7)
                workers.append(worker)
                worker.load("module")
                return worker

            yield run
            for worker in workers[-1:]:
                worker.close()


@pytest.mark.parametrize("name", NEEDED)
def test_a_program_that_names_it_finds_it_awake(opened, name):
    body = textwrap.indent(textwrap.dedent(NEEDED[name]), "    ")
    worker = opened(
        {
            "module.py": f"import sys, torch\nWAS_ASLEEP = {IS_ASLEEP}\n"
            f"def asleep():\n    return bool(WAS_ASLEEP)\ndef f():{body}\n",
            "statistics.py": "",  # which the compiler would find in place of Python's
        }
    )
    assert worker.call("asleep", (), ()).value is False
    reply = worker.call("f", (), ())
    assert reply.error is None, reply.error
    assert np.all(reply.value)


def test_a_program_that_turns_out_to_need_it_wakes_it(asleep):
    worker = asleep(
        "import sys, torch\n"
        f"def asleep():\n    return bool({IS_ASLEEP})\n"
        "def f():\n    return float(getattr(torch, '_dyn' + 'amo').config.recompile_limit > 0)\n"
    )
    assert worker.call("asleep", (), ()).value is True
    assert worker.call("f", (), ()).value == 1.0
    assert worker.call("asleep", (), ()).value is False


def test_a_submission_too_large_to_be_read_is_taken_to_need_it(tmp_path, monkeypatch):
    (tmp_path / "module.py").write_text("import torch\n")
    assert not compiler.is_named(str(tmp_path))
    monkeypatch.setattr(compiler, "MAX_BYTES", 5)
    assert compiler.is_named(str(tmp_path))
    monkeypatch.undo()
    monkeypatch.setattr(compiler, "MAX_FILES", 0)
    assert compiler.is_named(str(tmp_path))


def test_what_only_leaves_code_uncompiled_does_not_wake_it(asleep):
    worker = asleep(
        "import importlib.util, inspect, sys, torch\n"
        "def f():\n"
        "    model = torch.nn.LSTM(2, 3)\n"
        "    optimizer = torch.optim.Adam(model.parameters())\n"
        "    model(torch.ones(4, 1, 2))[0].sum().backward()\n"
        "    optimizer.step()\n"
        "    assert inspect.getmodule(f).f is f\n"
        "    assert importlib.util.find_spec('torch._dyn' + 'amo') is not None\n"
        f"    return bool({IS_ASLEEP})\n"
    )
    reply = worker.call("f", (), ())
    assert reply.error is None, reply.error
    assert reply.value is True


WITH_ITS_OWN = """
import torch
{more}
import statistics, profile, fractions
def asleep():
    return bool({asleep})
def f():
    torch.optim.Adam(torch.nn.Linear(1, 1).parameters()).step()
    return statistics.of_mine() + profile.of_mine() + fractions.of_mine()
"""
OWN = dict.fromkeys(("statistics", "profile", "fractions"), "def of_mine():\n    return 1.0\n")


@pytest.mark.parametrize("more", ["", "import torch._dynamo", "# see torch.func, too"])
def test_own_modules_of_names_that_the_compiler_imports_are_found(asleep, more):
    """Also after a program that names it, which another's must not depend on."""
    own = "import sys\n" + WITH_ITS_OWN.format(more=more, asleep=IS_ASLEEP)
    for program in (own, "import torch._dynamo\ndef f():\n    return 3.0\n", own):
        worker = asleep(program, **OWN)
        reply = worker.call("f", (), ())
        assert reply.error is None, reply.error
        assert reply.value == 3.0
    assert worker.call("asleep", (), ()).value is (more == "")


def test_what_a_program_leaves_uncompiled_is_as_torch_makes_it(asleep):
    """Also where its text does not show that it needs the compiler."""
    text = """
import torch
make = getattr(torch, "comp" + "iler").disable
def f():
    @make
    def one(x):
        return x + 1
    @make(recursive=False)
    def two(x):
        return x + 2
    model = make(torch.nn.Linear(2, 1))
    try:
        make(3)
    except AssertionError:
        wrapped = hasattr(one, "__wrapped__") and "_orig_mod.weight" in model.state_dict()
        return one(1), two(1), wrapped
"""
    for program in (text, text + "# torch.compiler\n"):
        reply = asleep(program).call("f", (), ())
        assert reply.error is None, (reply.error.text, reply.error.frames)
        assert reply.value == (2, 3, True)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("from torch import func\n", True),
        ("from torch import nn, func\n", True),
        ("from torch import (\n    nn,\n    func,\n)\n", True),
        ("from torch import(\n    func)\n", True),
        ("from torch import nn, \\\n    func\n", True),
        ("from torch import nn, \\\r\n    func\r\n", True),
        ("from torch.utils import checkpoint as c\n", True),
        ("from torch.utils.checkpoint import checkpoint\n", True),
        ("torch.compiler.reset()\n", True),
        ("from functorch import vmap\n", True),
        ("from torch import nn\n\ndef func():\n    pass\n", False),
        ("from torch import nn\nfrom utils import save_checkpoint\n", False),
        ("from utils import save_checkpoint\n", False),
        ("import torch\nfrom torch.utils.data import DataLoader\n", False),
        # Nothing is looked at more than a few times.
        ("torch import " * 300_000, False),
        ("from torch import func" + "torch import " * 300_000, True),
        ("utils import " * 300_000 + "\\\n", False),
        ("from torch import nn\n" + "import " * 300_000 + "\n", False),
    ],
)
def test_a_text_that_names_it_is_known(text, named):
    assert compiler.names_it(text.encode()) is named


def test_a_compiler_that_cannot_be_imported_ends_no_worker(tmp_path, monkeypatch):
    def broken():
        raise ImportError("no such library")

    (tmp_path / "module.py").write_text("import torch._dynamo\n")
    stand_in = compiler.SleepingCompiler(compiler.NAME)
    monkeypatch.setitem(sys.modules, compiler.NAME, stand_in)
    monkeypatch.setattr(compiler, "wake", broken)
    before = dict(os.environ), tempfile.tempdir
    assert compiler.wake_for(str(tmp_path))
    assert (dict(os.environ), tempfile.tempdir) == before
    assert compiler.is_asleep()
