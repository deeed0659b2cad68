"""Packages that are not installed where code is graded, and what takes their place.

One missing ``import seaborn`` at the top of a file must not cost the functions that never use it,
whatever the statements around it do with the package: decorate, loop, compare, print. While a
module loads, a stand-in takes part in all of that and means nothing. What a module made of it (a
writer of logs) may be called by functions, too, as long as nothing comes of it. A function that
calls the package itself, or needs a value of it to compute, to loop over, to decide, gets an error
with the package's name.
"""

from __future__ import annotations

import importlib.machinery
import operator
import re
import types
from collections.abc import Callable, Iterator, Sequence
from typing import Any

MAX_MISSING = 20  # more absent packages than any homework imports
TEXTS = {"__version__": "0", "__doc__": "", "__file__": ""}
# ``torch.cuda.is_available()``: a question to a package that is not there; the answer is no.
QUERY = re.compile(r"_?(?:is|has|have|can|supports?)_\w+|\w*available|\w*enabled|\w*supported")
MARK = " (not installed)"  # in the name of a stand-in's type, and so in Python's own messages


class MissingPackageError(ModuleNotFoundError):
    """Student code used a package that is not installed where it is graded."""

    def __init__(self, package: str) -> None:
        forbidden = package.partition(".")[0] in Loading.forbidden
        why = "forbidden in this question" if forbidden else "not installed in the grader"
        super().__init__(f"the package {package!r} is {why}")
        self.package = package


class Loading:
    """Whether a module is being loaded, and which stand-ins the current statement has used."""

    active = False
    used: list[str] = []
    forbidden: tuple[str, ...] = ()
    is_students: Callable[[Any], bool] = staticmethod(lambda _value: False)


def _package(value: StandIn) -> str:
    return str(types.ModuleType.__getattribute__(value, "__dict__")["__package_name__"])


def _last_name(value: StandIn) -> str:
    """Return the name by which a stand-in was taken from another one, or from a module."""
    return str(value.__dict__["__name__"]).rpartition(".")[2]


def _touched(value: StandIn) -> str:
    """Note that a stand-in takes part in something of which nothing need come."""
    package = _package(value)
    if Loading.active and package not in Loading.used:
        Loading.used.append(package)
    return package


def _used(value: StandIn) -> str:
    """Note that a value is needed of a stand-in; a function that needs one fails."""
    if not Loading.active:
        raise MissingPackageError(_package(value))
    return _touched(value)


class StandIn(types.ModuleType):
    """Takes the place of a missing package, of its submodules and of everything inside them.

    ``made`` are the objects that a module made of it while it was loaded: their methods may be
    called afterwards as well. A function that calls the package itself needs it.
    """

    def __new__(  # noqa: PYI034 - a type of its own
        cls, package: str, _name: str = "", *, made: bool = False
    ) -> StandIn:
        """Make a stand-in of a type of its own."""
        # Python's own messages name the type: "got torchvision (not installed)".
        del made
        own = type(f"{package}{MARK}", (cls,), {})
        return super().__new__(own)

    def __init__(self, package: str, name: str = "", *, made: bool = False) -> None:
        super().__init__(name or package)
        self.__dict__["__package_name__"] = package
        self.__dict__["__made__"] = made
        self.__path__: list[str] = []
        self.__all__: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name in TEXTS:
            _touched(self)
            return TEXTS[name]
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return StandIn(_touched(self), name, made=self.__dict__["__made__"])

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Act as a decorator, a class or a function of the package.

        A function of the student's own that is decorated stays what it is without the decorator. A
        flag that a module keeps, such as ``USE_GPU = torch.cuda.is_available()``, is false.
        """
        package = _touched(self) if self.__dict__["__made__"] else _used(self)
        if Loading.active and not args and not kwargs and QUERY.fullmatch(_last_name(self)):
            return False
        if len(args) == 1 and not kwargs and Loading.is_students(args[0]):
            return args[0]
        return StandIn(package, made=True)

    def __getitem__(self, _key: Any) -> Any:
        return StandIn(_touched(self), made=self.__dict__["__made__"])

    def __setitem__(self, _key: Any, _value: Any) -> None:
        _touched(self)

    def __delitem__(self, _key: Any) -> None:
        _touched(self)

    def __delattr__(self, name: str) -> None:
        self.__dict__.pop(name, None)

    def __iter__(self) -> Iterator[Any]:
        _used(self)
        return iter(())

    def __next__(self) -> Any:
        _used(self)
        raise StopIteration

    def __len__(self) -> int:
        _used(self)
        return 0

    def __bool__(self) -> bool:
        _used(self)
        return False

    def __contains__(self, _item: Any) -> bool:
        _used(self)
        return False

    def __enter__(self) -> Any:
        return StandIn(_touched(self), made=True)

    def __exit__(self, *_error: object) -> None:
        """Let exceptions pass."""

    def __repr__(self) -> str:
        return f"<{_package(self)}, which is not installed>"

    def __format__(self, _spec: str) -> str:
        return repr(self)

    def __int__(self) -> int:
        _used(self)
        return 0

    def __index__(self) -> int:
        _used(self)
        return 0

    def __float__(self) -> float:
        _used(self)
        return 0.0

    def __complex__(self) -> complex:
        _used(self)
        return 0j

    def __fspath__(self) -> str:
        _used(self)
        return ""

    def __array__(self, *_args: Any, **_kwargs: Any) -> Any:
        import numpy as np

        _used(self)
        return np.zeros(())

    def __instancecheck__(self, _value: Any) -> bool:
        return False  # nothing is an instance of what is not there

    def __subclasscheck__(self, _kind: Any) -> bool:
        return False

    def __mro_entries__(self, _bases: Any) -> tuple[type, ...]:
        return (_base_class(_package(self)),)


def _operator(name: str) -> None:
    """Give stand-ins an operator that leads to another stand-in."""

    def method(self: StandIn, *_others: Any) -> Any:
        return StandIn(_used(self))

    method.__name__ = name
    setattr(StandIn, name, method)


def _comparison(name: str) -> None:
    """Give stand-ins a comparison, which is never true."""

    def method(self: StandIn, _other: Any) -> bool:
        _used(self)
        return False

    method.__name__ = name
    setattr(StandIn, name, method)


BINARY = ("add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "divmod", "pow", "lshift",
          "rshift", "and", "xor", "or")  # fmt: skip
for _name in BINARY:
    _operator(f"__{_name}__")
    _operator(f"__r{_name}__")
for _name in ("neg", "pos", "abs", "invert", "round", "trunc", "floor", "ceil"):
    _operator(f"__{_name}__")
for _name in ("lt", "le", "gt", "ge"):
    assert hasattr(operator, _name)  # noqa: S101 - a slip here would go unseen
    _comparison(f"__{_name}__")


def _base_class(package: str) -> type:
    """Return what a class inherits from in place of a class of a missing package."""

    def __init__(_self: Any, *_args: Any, **_kwargs: Any) -> None:  # noqa: N807
        if not Loading.active:
            raise MissingPackageError(package)

    def __init_subclass__(_cls: Any, /, **_kwargs: Any) -> None:  # noqa: N807
        pass

    def __getattr__(_self: Any, name: str) -> Any:  # noqa: N807
        if name.startswith("__"):
            raise AttributeError(name)
        raise MissingPackageError(package)

    body = {
        "__init__": __init__,
        "__init_subclass__": classmethod(__init_subclass__),
        "__getattr__": __getattr__,
    }
    return type(f"{package}{MARK}", (), body)


def package_in(text: str) -> str | None:
    """Return the package whose stand-in one of Python's own messages names."""
    before, found, _after = text.partition(MARK)
    return before.rpartition(" ")[2].lstrip("'\"(`<") if found else None


class Absent:
    """The packages and modules found missing, and their place in the machinery of imports.

    ``names`` are what the student's code imports, by which message names them: a part of an
    installed package (``torch.utils.tensorboard``) can be missing because of another package.
    """

    def __init__(self) -> None:
        self.names: dict[str, str] = {}

    @property
    def packages(self) -> list[str]:
        """What is missing, for people, each once."""
        return list(dict.fromkeys(self.names.values()))

    def add(self, name: str, package: str | None = None) -> bool:
        """Note a module as missing; say whether it is news, and there is room for it."""
        if name in self.names or len(self.names) == MAX_MISSING:
            return False
        self.names[name] = package or name
        return True

    def covers(self, name: str) -> str | None:
        """Return the package for which a module of this name is missing, if it is."""
        parts = name.split(".")
        tops = (".".join(parts[:count]) for count in range(1, len(parts) + 1))
        return next((self.names[top] for top in tops if top in self.names), None)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Find a stand-in for what is missing."""
        del path, target
        if self.covers(name) is None:
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)  # type: ignore[arg-type]

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        """Return the stand-in for a module."""
        return StandIn(self.covers(spec.name) or spec.name, spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        """Do nothing: a stand-in has no content."""
        del module
