"""What a program may use of Python and numpy if it is to be proven pure (``pure.py``).

Each name here neither keeps anything between calls nor reaches anything that does. Left out are
random numbers, files, settings, and whatever gives access to the memory or the innards of an
object: ``base``, ``data``, ``view``, ``ctypes``, every name with two underscores.
"""

from __future__ import annotations

import types
from typing import Any

import numpy as np


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


BUILTINS = _words("""
    abs all any bool complex dict divmod enumerate filter float int isinstance iter len list map
    max min next object pow print range reversed round slice sorted sum tuple zip
    ArithmeticError AssertionError AttributeError Exception IndexError KeyError LookupError
    NotImplementedError OverflowError RuntimeError TypeError ValueError ZeroDivisionError
""")

NUMPY = _words("""
    abs absolute add all allclose amax amin any append arange arccos arccosh arcsin arcsinh arctan
    arctan2 arctanh argmax argmin argsort argwhere around array array_equal array_split asarray
    ascontiguousarray astype atleast_1d atleast_2d atleast_3d average bincount block bool_
    broadcast_arrays broadcast_to c_ cbrt ceil clip column_stack complex128 complex64 concatenate
    conj copy copyto cos cosh count_nonzero cross cumprod cumsum deg2rad delete diag diag_indices
    diagonal diff divide divmod dot dsplit dstack e ediff1d einsum empty empty_like equal errstate
    exp exp2 expand_dims expm1 eye fill_diagonal finfo flatnonzero flip fliplr flipud float16
    float32 float64 float_power floor floor_divide fmax fmin full full_like gradient greater
    greater_equal heaviside histogram hsplit hstack hypot identity iinfo indices inf inner insert
    int16 int32 int64 int8 integer intersect1d intp invert isclose isfinite isin isinf isnan kron
    less less_equal linalg linspace log log10 log1p log2 logaddexp logaddexp2 logical_and
    logical_not logical_or logical_xor logspace matmul matrix_transpose max maximum mean median
    meshgrid min minimum mod moveaxis multiply nan nan_to_num nanmax nanmean nanmin nansum ndim
    ndindex negative newaxis nonzero not_equal ones ones_like outer pad percentile pi positive
    power prod ptp put_along_axis quantile ravel real reciprocal remainder repeat reshape rint roll
    rollaxis rot90 round s_ searchsorted select shape sign sin sinh size sort split sqrt square
    squeeze stack std subtract sum swapaxes take take_along_axis tan tanh tensordot tile trace
    transpose tri tril tril_indices triu triu_indices trunc uint16 uint32 uint64 uint8 unique
    unravel_index unstack vander var vdot vecdot vsplit vstack where zeros zeros_like
""")

LINALG = _words("""
    cholesky cross diagonal det eig eigh eigvals eigvalsh inv lstsq matmul matrix_norm matrix_power
    matrix_rank multi_dot norm outer pinv qr slogdet solve svd tensordot trace vector_norm
""")

# Of arrays, numbers, containers, ufuncs and what numpy says of a type.
ATTRIBUTES = _words("""
    T all any append argmax argmin argsort astype at clear clip conj copy count cumprod cumsum
    diagonal dot dtype eps extend fill flat flatten get index insert item items keys max mean min
    nbytes ndim nonzero outer pop popitem prod ravel real reduce remove repeat reshape resolution
    reverse round searchsorted setdefault shape size sort squeeze std sum swapaxes take tiny tolist
    trace transpose update values var accumulate
""")

# What a value may be asked to be an instance of.
KINDS = _words("floating generic integer ndarray number")

MATH = _words("""
    acos acosh asin asinh atan atan2 atanh ceil comb cos cosh e erf erfc exp expm1 fabs factorial
    floor fmod fsum gamma hypot inf isclose isfinite isinf isnan lgamma log log10 log1p log2 nan pi
    pow prod sin sinh sqrt tan tanh tau trunc
""")

TYPING = _words("Any Callable Dict Iterable Iterator List Literal Optional Sequence Tuple Union")

_PAIRS: dict[str, Any] = {}

# The types of all that a pure program can hold. None of them has an attribute that is named like a
# field of the program's own classes, so that reading such a field reads nothing else.
TYPES: tuple[type, ...] = (
    np.ndarray, np.generic, np.float64, np.int64, np.bool_, np.complex128, np.dtype, np.ufunc,
    np.flatiter, np.finfo, np.iinfo, np.ndindex, np.errstate, type(np.dot), type(np.einsum),
    type(np.shape), type(np.linalg.svd), type(np.s_), type(np.c_), type(np.float64),
    types.ModuleType, bool, int, float, complex, str, bytes, tuple, list, dict, range, slice,
    type(None), type(...),
    type(len), types.FunctionType, types.MethodType, type([].append), BaseException, KeyError,
    type(iter([])), type(iter(())), type(iter(_PAIRS)), type(_PAIRS.items()), type(_PAIRS.keys()),
    type(_PAIRS.values()), type(iter(_PAIRS.items())), type(iter(range(0))), type(reversed([])),
    enumerate, zip, map, filter, types.GeneratorType,
)  # fmt: skip
