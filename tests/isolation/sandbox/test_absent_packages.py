"""Packages that are not installed cost what needs them, and nothing else."""
# ruff: noqa: E501 - one program a line

import pytest

RIGHT = "\ndef right(x):\n    return x + 1\n"

HARMLESS = [
    "import nowhere\nfor layer in nowhere.models.vgg16().features:\n    print(layer)",
    "import nowhere\na, b = nowhere.load()",
    "import nowhere\n(a, *rest), b = nowhere.load(), 3",
    "import nowhere\nok = 'vgg' in nowhere.names or 'x' not in nowhere.names",
    "import nowhere\nif len(nowhere.data) > 3: raise ValueError",
    "import nowhere\nx = 3 * nowhere.scale - nowhere.offset ** 2 // -nowhere.step @ nowhere.m",
    "import nowhere\nx = 1\nx += nowhere.step\nx <<= nowhere.step",
    "import nowhere\nif nowhere.__version__ >= '2' and nowhere.count > 3: pass",
    "import nowhere\nwith nowhere.no_grad() as g, open(nowhere.path): pass",
    "import nowhere\nprint(nowhere, f'{nowhere.x:>5}', nowhere.__version__, str(nowhere.x))",
    "import nowhere\n@nowhere.jit\ndef decorated(x):\n    return x + 1",
    "import nowhere\n@nowhere.jit(nopython=True)\ndef decorated(x):\n    return x + 1",
    "import nowhere\nclass Net(nowhere.LightningModule, metaclass=type):\n    def f(self): pass",
    "from nowhere import *",
    "from nowhere.deep.er import a as b, c\nb.d[3].e = 4\ndel b.d[3], b.e",
    "import nowhere.deep as n\nn.config.update(a=1)\nn.x = 3\nn.y[0] = 1\ndel n.x",
    "from torch.utils.tensorboard import SummaryWriter\nw = SummaryWriter('runs')",
    "import torch.nowhere.deep",
    "from torch.nn import NoSuchLayer\nlayer = NoSuchLayer(3)",
    "from scipy.misc import imread\nX = -imread('a.png')[::2]",
    "import numpy as np, nowhere\nx = np.asarray(nowhere.table) + np.float64(nowhere.x)",
    "import nowhere\nx = [n for n in nowhere.names if n.islower()]\ny = {k: v for k, v in nowhere.d}",
    "import nowhere\nx = int(nowhere.n) + round(nowhere.x) + range(10)[nowhere.i]",
    "import nowhere\nwhile not nowhere.done(): pass",
    "import nowhere\nx = next(iter(nowhere.loader))",
    "import nowhere\nx = sorted(nowhere.a), max(nowhere.b), sum(nowhere.c)",
    "import nowhere\ntry:\n    nowhere.f()\nexcept nowhere.Error:\n    pass",
    "import nowhere\nif isinstance(3, nowhere.Type): raise ValueError",
    "if True:\n    import nowhere\n    nowhere.setup()",
    "try:\n    import nowhere\nexcept ValueError:\n    pass",
    "import matplotlib\nmatplotlib.use('TkAgg')",
    "import nowhere, elsewhere, anywhere.deep",
    "import nowhere\nimport math\nMEAN = math.sqrt(nowhere.MEAN)",
    "import nowhere\nx = bytes(nowhere.data), complex(nowhere.z), abs(nowhere.x), ~nowhere.y",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_what_a_module_does_with_it_costs_nothing(opened, text):
    worker = opened(text + RIGHT)
    assert worker.loaded.error is None
    assert worker.call("right", (1,), ()).value == 2
    if "decorated" in text:
        assert worker.call("decorated", (1,), ()).value == 2


NEEDED = [
    "nowhere.set_theme()",
    "nowhere.deep.plot(x, y=3)",
    "writer = nowhere.Writer()",
    "with nowhere.no_grad():\n        return x",
    "return nowhere.scale * x",
    "return x - nowhere.scale",
    "return [y for y in nowhere.range(x)]",
    "return x if nowhere.ready else 0",
    "return len(nowhere.items)",
    "return x in nowhere.items",
    "return float(nowhere.value)",
    "return nowhere.value",
    "return np.exp(nowhere.value)",
    "return np.zeros(3) + nowhere.value",
    "return torch.ones(2) * nowhere.value",
    "return torch.tensor(nowhere.value)",
    "return x < nowhere.limit",
    "return made",
    "return made + x",
    "return Net(x)",
    "return torch.nn.functional.relu(nowhere.value)",
]


@pytest.mark.parametrize("body", NEEDED)
def test_a_function_that_needs_it_fails_with_its_name(opened, body):
    worker = opened(
        "import numpy as np, torch\nimport nowhere\nmade = nowhere.make(3)\n"
        f"class Net(nowhere.Base):\n    pass\ndef wrong(x):\n    {body}\n"
    )
    error = worker.call("wrong", (1,), ()).error
    assert error is not None
    assert error.missing_package == "nowhere"


@pytest.mark.parametrize("function", ["later", "star", "part"])
def test_names_that_would_have_come_from_it_fail_with_its_name(opened, function):
    worker = opened(
        "from nowhere import *\nfrom torch.nn import NoSuchLayer\n"
        "def later(x):\n    import elsewhere\n"
        "def star(x):\n    return imread(x)\n"
        "def part(x):\n    return NoSuchLayer(x)(x) + 1\n"
    )
    package = worker.call(function, (1,), ()).error.missing_package
    assert (
        package
        == {"later": "elsewhere", "star": "nowhere", "part": "torch.nn.NoSuchLayer"}[function]
    )


def test_a_writer_of_logs_may_be_called(opened):
    worker = opened(
        "from torch.utils.tensorboard import SummaryWriter\nwriter = SummaryWriter('runs')\n"
        "def train(x):\n    writer.add_scalar('loss', x)\n    with writer.timer() as t:\n"
        "        t.step = x\n    return x\n"
    )
    assert worker.call("train", (3,), ()).value == 3
    assert worker.loaded.missing_packages == ("tensorboard",)


def test_a_decorated_class_and_helper_stay_what_they_are(opened):
    worker = opened(
        "import nowhere\n@nowhere.register('x')\nclass A:\n    value = 3\n"
        "@nowhere.cache(maxsize=None)\n@nowhere.jit\ndef helper(x):\n    return x * A.value\n"
        "def f(x):\n    return helper(x)\n"
    )
    assert worker.call("f", (2,), ()).value == 6


def test_code_that_asks_whether_it_is_there_hears_that_it_is_not(opened):
    worker = opened(
        "try:\n    import nowhere\nexcept ImportError:\n    nowhere = None\n"
        "import importlib.util\n"
        "def f():\n    return nowhere is None, importlib.util.find_spec('nowhere') is None\n"
    )
    assert worker.call("f", (), ()).value == (True, True)
    assert worker.loaded.missing_packages == ()


COMPUTED = [
    ("ONE = float(nowhere.one)", "ONE"),
    ("names = list(nowhere.names)", "names"),
    ("N = int(nowhere.utils.N)", "N"),
    ("N = len(nowhere.names)", "N"),
    ("V = nowhere.__version__", "V"),
    ("a, b = 1, float(nowhere.b)", "b"),
    ("import numpy as np\nW = np.zeros(3) + np.asarray(nowhere.W)", "W"),
    ("total = 0\nfor n in nowhere.names: total += n", "total"),
    ("d = {'x': float(nowhere.x)}", "d"),
    ("FLAG = nowhere.has_gpu()", "FLAG"),
    ("with nowhere.scope():\n    K = 3", "K"),
]


@pytest.mark.parametrize(("text", "name"), COMPUTED)
@pytest.mark.parametrize("used", [True, False])
def test_names_that_were_computed_from_it_are_reported_if_functions_use_them(
    opened, text, name, used
):
    worker = opened(f"import nowhere\n{text}\ndef f():\n    return {name if used else 1}\n")
    assert worker.loaded.made == (((name, "nowhere"),) if used else ())


@pytest.mark.parametrize(
    "flag",
    [
        "nowhere.cuda.is_available()", "nowhere.has_gpu()", "nowhere.gpu_available()",
        "nowhere.backends.mps.is_built()", "not not nowhere.cuda.is_available()",
        "nowhere.cuda.device_count() > 0", "bool(nowhere.cuda)", "nowhere.x == 3",
        "nowhere.cudnn.enabled()", "nowhere.get() is None",
    ],
)  # fmt: skip
def test_a_flag_that_was_asked_for_at_module_level_is_false(opened, flag):
    worker = opened(
        f"import nowhere\nFLAG = {flag}\nclass Config:\n    flag = {flag}\n"
        "def f():\n    return 1 if FLAG or Config.flag else 2\n"
    )
    assert worker.call("f", (), ()).value == 2


def test_asking_the_package_inside_a_function_needs_it(opened):
    worker = opened("import nowhere\ndef f():\n    return 1 if nowhere.is_available() else 2\n")
    assert worker.call("f", (), ()).error.missing_package == "nowhere"


@pytest.mark.parametrize(
    "statement", ["from nowhere import float_ as one", "import nowhere as one"]
)
def test_an_import_is_not_a_computed_value(opened, statement):
    assert opened(f"{statement}\ndef f():\n    return one\n").loaded.made == ()
