"""Changes captions so that only a program that learns from them can follow.

The words are exchanged among each other, in all captions, and so are their ids: "running" may say
what "red" said. A program that learns does as well as before; a vocabulary that is written down,
captions of the course's own in a file, or parameters that were trained on them say nothing.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from .captions import SPECIAL_WORDS

KEPT = True  # drawn from the arguments and the files of the reference alone

Contents = dict[str, Any]


def changed(
    inputs: Mapping[str, Any], withheld: Mapping[str, Any], rng: np.random.Generator
) -> tuple[Contents, Contents]:
    """Return the inputs and withheld captions of ``captions`` with words and ids exchanged.

    Args:
        inputs: with ``word_to_idx`` and ``train_captions``. Special words keep their ids.
        withheld: with ``val_captions``, a list of texts per image.
        rng: decides which word stands for which, and which id each has.
    """
    ids: dict[str, int] = inputs["word_to_idx"]
    words = [word for word in ids if word not in SPECIAL_WORDS]
    stands_for = dict(zip(words, (words[i] for i in rng.permutation(len(words))), strict=True))
    new = np.arange(max(ids.values()) + 1)
    old = np.array([ids[word] for word in words])
    new[old] = rng.permutation(old)
    numbered = {stands_for.get(word, word): int(new[number]) for word, number in ids.items()}
    made: Contents = dict(inputs)
    made["word_to_idx"] = dict(sorted(numbered.items(), key=lambda pair: pair[1]))
    made["train_captions"] = new[inputs["train_captions"]]
    texts = [
        [" ".join(stands_for.get(word, word) for word in text.split()) for text in own]
        for own in withheld["val_captions"]
    ]
    return made, {**withheld, "val_captions": texts}
