"""The same comparisons as test cases of ``unittest``, as gradescope-utils runs them.

Its ``JSONTestRunner`` is a test runner of ``unittest`` that writes ``results.json`` at the end; one
process grades one submission. The package is not installed here, and adds little to this.
"""

from __future__ import annotations

import unittest

import inprocess_comparisons as comparisons


class TestLayers(unittest.TestCase):
    """The eight functions of a submission."""

    def setUp(self) -> None:
        """Import the submission."""
        self.student = comparisons.loaded(comparisons.FILES[0])


def _named(name: str, outputs: tuple[str, ...]) -> None:
    def test_forward(self: TestLayers) -> None:
        comparisons.forward(self.student, name, outputs)

    def test_backward(self: TestLayers) -> None:
        comparisons.backward(self.student, name, outputs)

    setattr(TestLayers, f"test_{name}_forward", test_forward)
    setattr(TestLayers, f"test_{name}_backward", test_backward)


for _name, _outputs in comparisons.PAIRS:
    _named(_name, _outputs)


if __name__ == "__main__":
    unittest.main()
