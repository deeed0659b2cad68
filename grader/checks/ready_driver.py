"""The driver of checks that say ``call:`` or ``grad:`` and have none of their own.

Its source is sent to a worker, where it runs beside student code; it also runs with the reference.
So it imports nothing from the grader, and torch only where gradients are asked for.
"""

from __future__ import annotations

from typing import Any


def call(
    student: Any, *, function: str, given: dict[str, Any], gradients_of: list[str]
) -> dict[str, Any]:
    """Call a function of the student's and differentiate what it returns.

    Args:
        student: the module.
        function: the name of the function.
        given: its arguments by name, in order.
        gradients_of: the arguments with respect to which torch differentiates. If there are any,
            all arrays are handed over as tensors.

    Returns:
        ``returned``: what the function returns. ``gradients``: for each of ``gradients_of`` the
        gradient of the returned number, or of a weighted sum of the returned tensors, None where
        torch finds no path from the argument to it.
    """
    if gradients_of:
        given = {name: _tensors(value, name in gradients_of) for name, value in given.items()}
    returned = getattr(student, function)(*given.values())
    if not gradients_of:
        return {"returned": returned, "gradients": {}}
    found = _gradients(returned, [given[name] for name in gradients_of])
    return {"returned": returned, "gradients": dict(zip(gradients_of, found, strict=True))}


def _tensors(value: Any, follow: bool) -> Any:  # noqa: FBT001 - must run without our habits
    """Return the arrays in ``value`` as tensors."""
    import numpy as np
    import torch

    if isinstance(value, (list, tuple)):
        return type(value)(_tensors(item, follow) for item in value)
    if not isinstance(value, np.ndarray):
        return value
    return torch.tensor(value, requires_grad=follow and value.dtype.kind == "f")


def _gradients(returned: Any, arguments: list[Any]) -> list[Any]:
    """Differentiate a weighted sum of all that was returned; a single number has the weight one."""
    import torch

    outputs = returned if isinstance(returned, (list, tuple)) else [returned]
    total, weighted = None, 0
    for output in outputs:
        if not isinstance(output, torch.Tensor) or not output.requires_grad:
            continue
        # All equal weights would not see a gradient whose sum is always zero, as a softmax has.
        positions = torch.arange(weighted, weighted + output.numel(), dtype=output.dtype)
        weighted += output.numel()
        part = (output * torch.cos(positions).reshape(output.shape)).sum()
        total = part if total is None else total + part
    if total is None:
        return [None for _argument in arguments]
    return list(torch.autograd.grad(total, arguments, allow_unused=True))
