"""Gradescope: grades a submission in its container and writes ``results.json``."""
