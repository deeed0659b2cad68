"""What passes at home passes when it is graded, and what fails there fails here."""

import re
import shutil

import pytest

from tests.conftest import SUBMISSIONS

PLAIN = SUBMISSIONS / "full_marks" / "plain"
BY_HAND = "h = np.tanh(x @ Wx + prev_h @ Wh + b)\n    return h, (x, prev_h, Wx, Wh, h)"
STEP = f"import numpy as np\n\n\ndef rnn_step_forward(x, prev_h, Wx, Wh, b):\n    {BY_HAND}\n"
# Files besides those of the template, and whether q3.1 passes with them.
PROGRAMS = {
    "plots": ({"rnn_layers.py": f"import matplotlib.pyplot as plt\nplt.figure()\n{STEP}"}, True),
    "makes folders": (
        {"rnn_layers.py": f"import os\nos.makedirs('results/a', exist_ok=True)\n{STEP}"}, True),
    "writes a log": (
        {"rnn_layers.py": f"import logging\nlogging.basicConfig(filename='a.log')\n{STEP}"}, True),
    "temporary folder": (
        {"rnn_layers.py": f"import tempfile\nD = tempfile.mkdtemp()\n{STEP}"}, True),
    "home folder": (
        {"rnn_layers.py": f"from pathlib import Path\nP = list(Path.home().iterdir())\n{STEP}"},
        True),
    "absent package": (
        {"rnn_layers.py": f"import nowhere_installed as n\nn.init(3)[0]\n{STEP}"}, True),
    "needs an absent package": (
        {"rnn_layers.py": STEP.replace("h = ", "import nowhere_installed\n    h = ")},
        False),
    "demonstration fails": ({"rnn_layers.py": f"{STEP}\nassert False, 'a test of mine'\n"}, True),
    "exits": ({"rnn_layers.py": f"{STEP}\nimport sys\nsys.exit('done')\n"}, True),
    "of a notebook": ({"rnn_layers.py": f"get_ipython().run_line_magic('x', '')\n{STEP}"}, True),
    "relative import": (
        {"rnn_layers.py": "from .mine import *\n", "mine.py": STEP}, True),
    "course package": (
        {"rnn_layers.py": "from cs231n.mine import rnn_step_forward\n", "mine.py": STEP}, True),
    "added to a supplied file": (
        {"rnn_layers.py": STEP.replace("np.tanh", "squash").replace(
            "import numpy as np", "from layers import squash"),
         "layers.py": "import numpy as np\n\n\ndef squash(a):\n    return np.tanh(a)\n"}, False),
    "defined twice": ({"rnn_layers.py": f"{STEP}{STEP.replace('np.tanh', 'np.exp')}"}, False),
    "stub": ({"rnn_layers.py": STEP.replace("h = ", "raise NotImplementedError\n    h = ")}, False),
    "unfinished line": ({"rnn_layers.py": f"{STEP}\ndef later(:\n"}, False),
}  # fmt: skip


def outcome(text):
    found = re.search(r"^(\w+)(?: \((\w+)\))?  q3\.1 ", text, re.MULTILINE)
    assert found, text
    return found[1], found[2]


@pytest.mark.slow
@pytest.mark.parametrize("name", PROGRAMS)
def test_the_outcome_is_the_same(unpacked, judge, tmp_path, name):
    files, passes = PROGRAMS[name]
    folder = tmp_path / "handed_in"
    shutil.copytree(PLAIN, folder)
    for target in (unpacked.home, folder):
        for file, text in files.items():
            (target / file).write_text(text)
    ran = unpacked.check("q3.1")
    graded = judge(folder, "q3.1")["q3.1"]
    assert outcome(ran.out) == (graded.outcome, graded.reason), ran.out + graded.message
    assert (graded.outcome == "passed") is passes, graded.message
