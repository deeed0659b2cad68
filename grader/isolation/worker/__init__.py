"""What runs next to student code: the fork server and its children.

A leaf: it imports the standard library, numpy (and torch where the rubric asks for it) and the
wire, never the engine, the rubric or the reference. ``boot.py`` loads it under another package
name in a process that is started clean. Nothing here judges anything; it only returns values.
"""
