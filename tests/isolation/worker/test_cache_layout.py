"""How a student's source says that a cache is made, and taken apart."""

import importlib.util

import pytest

from grader.isolation.worker.cache_layout import layout_of

READS = "def backward(dy, cache):\n    "


@pytest.fixture
def loaded(tmp_path):
    """Return a module with this source."""

    def load(source):
        path = tmp_path / "layers.py"
        path.write_text(source)
        spec = importlib.util.spec_from_file_location(f"layers_{abs(hash(source))}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ("return y, (x, w, y)", ["t", "x", "w", "y"]),
        ("return y, [x, w]", ["l", "x", "w"]),
        ("cache = x, w, y\n    return y, cache", ["t", "x", "w", "y"]),
        ("cache = (x, w)\n    kept = cache\n    return y, kept", "kept"),
        ("return y, {'x': x, 'W': w}", ["d", ["x", "x"], ["W", "w"]]),
        ("return y, dict(x=x, W=w)", ["d", ["x", "x"], ["W", "w"]]),
        ("c = {}\n    c['x'] = x\n    c['slope'] = 1 - y**2\n    return y, c",
         ["d", ["x", "x"], ["slope", "slope"]]),
        ("return y, (x.copy(), w)", ["t", "x", "w"]),
        ("inner = (x, w)\n    return y, (inner, y)", ["t", ["t", "x", "w"], "y"]),
        ("return y, (x, 1 - y**2)", ["t", "x", None]),
        ("return y, Kept(x, w)", None),
        ("return y, None", None),
        ("if x:\n        return y, None\n    return y, (x, y)", ["t", "x", "y"]),
    ],
)  # fmt: skip
def test_the_place_of_what_is_returned(body, place, loaded):
    module = loaded(f"def forward(x, w):\n    y = x\n    {body}\n")
    found = layout_of(module.forward, [1], 2)
    assert found["caches"] == [place]
    assert found["parameters"] == ["x", "w"]
    assert found["outputs"][0] == "y"


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ("x, w, y = cache", ["t", "x", "w", "y"]),
        ("(x, w), y = cache", ["t", ["t", "x", "w"], "y"]),
        ("x = cache['x']\n    w = cache['W']", ["d", ["x", "x"], ["W", "w"]]),
        ("x = cache[0]", None),
        ("x = cache.x", None),
    ],
)
def test_the_place_by_the_names_of_its_reader(body, place, loaded):
    module = loaded(f"def forward(x, w):\n    return x, Kept(x)\n\n\n{READS}{body}\n")
    assert layout_of(module.forward, [1], 2, module.backward)["read"] == place


@pytest.mark.parametrize(
    "source",
    [
        "forward = lambda x, w: (x, (x, w))",
        "forward = len",
        "def forward(x, w):\n    return x",
        "def forward(x, w):\n    return x, w, x",
        "exec('def forward(x, w):\\n    return x, (x, w)')",
    ],
)
def test_nothing_is_known_where_no_source_says_it(source, loaded):
    assert layout_of(loaded(source).forward, [1], 2) is None
