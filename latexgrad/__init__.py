"""Derivations: LaTeX in, a verdict per formula out.

``source`` finds the formulas in a file, ``tokens`` and ``parser`` read them, ``reading`` resolves
products by the shapes of their factors, ``evaluate`` computes them in float64, ``truth`` asks
autograd what they should be, ``judge`` compares, ``diagnose`` says what is wrong.
"""
