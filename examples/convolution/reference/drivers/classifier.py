"""Runs beside the student's ``classifier.py`` in a worker; holds no secret."""

from types import ModuleType
from typing import Any


def train_classifier(
    student: ModuleType,
    *,
    train_images: Any,
    train_labels: Any,
    test_images: Any,
    seed: int,
    device: str,
) -> dict[str, Any]:
    """Train with the student's function; return what its ``predict`` says of the test images.

    Raises:
        TypeError: the student's function returns something that cannot be called.
    """
    del device
    predict = student.train_classifier(train_images, train_labels, seed)
    if not callable(predict):
        raise TypeError("train_classifier must return a function predict(images)")
    return {"predictions": predict(test_images)}
