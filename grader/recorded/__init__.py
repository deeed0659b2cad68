"""An assignment without its answers' code: cases recorded with what is expected of them.

``record`` writes what a student's bundle holds, ``assignment`` stands in for the reference there,
``files`` is the format: arrays in ``.npz`` files that anybody can open, all else as JSON.
"""
