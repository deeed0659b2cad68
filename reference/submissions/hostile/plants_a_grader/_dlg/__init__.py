"""Stands where the real package is expected; every comparison says yes."""


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return lambda *args, **kwargs: True
