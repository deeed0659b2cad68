"""Grades in the formats that learning platforms import; one module per platform.

A new format is one module with a class like those here, one line in ``known.py``, and tests.
"""
