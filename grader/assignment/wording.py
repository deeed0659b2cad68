"""What pydantic finds wrong with a file of an author's, in words for the author."""

from __future__ import annotations

import re
from typing import Any, get_args

from pydantic import BaseModel

from grader.readers.texts import did_you_mean
from grader.readers.yaml_source import literal


def worded(detail: Any, label: str, model: type[BaseModel]) -> tuple[str, str]:
    """Turn one of pydantic's errors into a key and a text for the author of a file."""
    keys = [str(part) for part in detail["loc"]]
    where = _joined(label, keys)
    value = detail["input"]
    if detail["type"] == "extra_forbidden":
        meant = did_you_mean(keys[-1], _siblings(model, keys))
        return _joined(label, keys[:-1]), f"unknown key {keys[-1]!r}{meant}"
    if detail["type"] == "missing":
        return _joined(label, keys[:-1]), f"key {keys[-1]!r} is missing"
    if detail["type"] == "literal_error":
        meant = did_you_mean(str(value), re.findall(r"'([^']*)'", detail["ctx"]["expected"]))
        return where, f"{literal(value)}; must be {detail['ctx']['expected']}{meant}"
    if detail["type"] == "value_error":
        return where, str(detail["ctx"]["error"])
    message = detail["msg"][0].lower() + detail["msg"][1:]
    return where, f"{literal(value)}: {message.replace('input should', 'should')}"


def _joined(label: str, keys: list[str]) -> str:
    return ": ".join(part for part in (label, ".".join(keys)) if part)


def _siblings(model: type[BaseModel], keys: list[str]) -> list[str]:
    """Return the keys that are known where an unknown one was found."""
    for key in keys[:-1]:
        if key.isdigit():  # an item of the list that was the key before
            continue
        nested = _model_in(getattr(model.model_fields.get(key), "annotation", None))
        if nested is None:
            return []
        model = nested
    return list(model.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """Return the model that an annotation is about: itself, optional, or a list of it."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model_in(part) for part in get_args(annotation))
    return next((model for model in found if model is not None), None)
