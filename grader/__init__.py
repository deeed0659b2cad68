"""Autograder for deep-learning homework: the engine, which knows nothing of any one assignment."""

__version__ = "0.1.0"
