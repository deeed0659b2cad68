"""Write the generated data that students are given: ``python -m reference.public_data``.

The files lie in ``submissions_template/data/`` in the formats of the full tier: ``train.txt`` and
``dev.txt`` hold ``<0 or 1> <tokens>`` per line, ``unlabelled.txt`` only tokens, and ``vectors.txt``
``<word> <numbers>``. They are drawn with a seed of their own, which grading uses for the
predictions that are handed in and for nothing else: no test sentence is among them.
"""

from __future__ import annotations

from pathlib import Path

from .datasets import sentences

SEED = 2026  # ``seed`` of the checks of kind predictions in rubric.yaml
FOLDER = Path(__file__).resolve().parents[1] / "submissions_template" / "data"


def write(folder: Path = FOLDER) -> list[Path]:
    """Write all files; return their paths."""
    inputs = sentences.load("mini", None, SEED)["inputs"]
    words, matrix = inputs["vectors"]
    lines = {
        f"{split}.txt": [
            f"{label} {text}"
            for label, text in zip(
                inputs[f"{split}_labels"], inputs[f"{split}_sentences"], strict=True
            )
        ]
        for split in ("train", "dev")
    }
    lines["unlabelled.txt"] = inputs["unlabelled_sentences"]
    lines["vectors.txt"] = [
        " ".join([word, *(f"{value:.4f}" for value in row)])
        for word, row in zip(words, matrix, strict=True)
    ]
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in lines.items():
        (folder / name).write_text("\n".join(content) + "\n", encoding="utf-8")
    return [folder / name for name in lines]


if __name__ == "__main__":
    for path in write():
        print(path.name, len(path.read_text(encoding="utf-8").splitlines()), "lines")  # noqa: T201
