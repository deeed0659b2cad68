"""A driver's own sentences reach the student; nothing that student code adds does."""

import pytest

from grader.checks.own_words import own_words

DRIVER = """
def run(student):
    result = student.f()
    if result is None:
        raise ValueError("f must return the image and the losses")
    kind = type(result).__name__
    raise TypeError(f"f must return the image as a tensor (1, 3, H, W), got {kind}")
"""
IMAGE = "f must return the image as a tensor (1, 3, H, W), got "


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("f must return the image and the losses", "f must return the image and the losses"),
        (f"{IMAGE}Image", f"{IMAGE}Image"),
        (f"{IMAGE}list", f"{IMAGE}list"),
        (f"{IMAGE}ndarray", f"{IMAGE}ndarray"),
        (f"{IMAGE}the_answer_is_42", f"{IMAGE}another type"),
        (f"{IMAGE}Image and the driver's source is ...", None),
        (f"{IMAGE}Image\nsecret", None),
        (f"secret {IMAGE}Image", None),
        (IMAGE, None),
        ("f must return the image", None),
        ("", None),
        ("def run(student): ...", None),
    ],
)
def test_only_its_sentences_pass(text, shown):
    assert own_words(text, DRIVER) == shown
