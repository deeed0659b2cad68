"""What pytest loads wherever the grader is installed: the plugin, where grading is possible.

A student's machine has the plain installation. There pytest is the student's own, and must find
neither our options nor our collectors: their ``conftest.py`` may well have an option ``--data``.
"""

from __future__ import annotations

from grader.extras import absent

# pytest imports what a plugin names here.
pytest_plugins = () if absent() else ("grader.run.pytest_plugin",)
