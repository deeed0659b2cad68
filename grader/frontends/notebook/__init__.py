"""``grader.check`` and ``%%grader``: checks in a notebook, with the functions defined in it."""
