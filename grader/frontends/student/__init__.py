"""The student's machine: ``grader check``, and the bundle that it runs from.

``record`` writes cases with what is expected of them into a bundle, ``replay`` stands in for the
reference there, ``arrays`` is the format: arrays in ``.npz`` files that anybody can open, all else
as JSON. ``look`` grades in plain processes, ``watch`` does so on every save.
"""
