"""Gradescope: from a submission in its container to ``results.json``, within its limits."""
