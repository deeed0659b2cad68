"""Restaurant-review sentences with a 0/1 sentiment label, for the text classifiers of question 6.

Two tiers share one format (tokens separated by single spaces, label 1 = positive):

* ``mini`` draws 3000/600/1000 sentences from a small grammar. Most are decided by one telling
  adjective, which a bag of words can read. In the rest the *order* of the words decides (negation,
  contrast, comparison), so a bag of words cannot get them all and a recurrent network can. A few
  are lukewarm and carry a label that nothing in the words tells, so nobody reaches 1.0.
* ``full`` reads ``sentences/{train,dev,test}.txt`` below the data folder, one ``<label> <tokens>``
  per line, and ``sentences/unlabelled.txt`` without labels.

Both come with word vectors, "pretrained" in that they know words that training never shows:
``full`` reads GloVe's text format (Pennington, Socher & Manning, 2014), ``mini`` makes them up.

Every mini sentence is a template filled with words. A template is written for the label to be
expressed: ``ADJ`` is an adjective that agrees with the label and ``OPP`` one that contradicts it.
The same template therefore serves both labels, and no token alone gives a label away.
"""

from bisect import bisect_right
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from .sentence_grammar import ASPECT_WORDS, PHRASES, SHARES, TEMPLATES

KEPT = True  # drawn from the arguments and the files of the reference alone

SIZES = {"train": 3000, "dev": 600, "test": 1000}
UNLABELLED_SIZE = 400
GLOVE_FILE = Path("glove") / "glove.6B.50d.subset.txt"

VECTOR_SIZE = 25
MEANING = 1.5  # length of a word's polarity and of its topic in its vector
NOISE = 0.35  # standard deviation of each coordinate around that
MISSING = 0.12  # share of the vocabulary without a vector, as with any published vectors

REMEDY = "not found: give the data folder with --data DIR or GRADER_DATA"


class Lexicon:
    """Word lists with Zipf-like frequencies: the r-th word of a list is drawn ~ 1 / (r + 1).

    The ranks are shuffled by ``rng``, so each seed has its own frequent and rare words. The last
    ranks of nouns and adjectives (one word in eight) are held back from the training and
    development sentences: they are the words first met at test time.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        """Shuffle every list with ``rng``."""
        lists = {name: words.split() for name, words in ASPECT_WORDS.items()}
        lists |= {name: phrases.split("|") for name, phrases in PHRASES.items()}
        self.words: dict[str, list[str]] = {
            name: [words[i] for i in rng.permutation(len(words))] for name, words in lists.items()
        }
        zipf = np.cumsum(1 / (np.arange(max(map(len, lists.values()))) + 2)).tolist()
        self._cdf: dict[str, list[float]] = {k: zipf[: len(v)] for k, v in lists.items()}

    def draw(self, rng: np.random.Generator, name: str, *, held_out: bool) -> str:
        """Draw one entry of list ``name``; its held-back words only if ``held_out``."""
        words, cdf = self.words[name], self._cdf[name]
        known = len(cdf) if held_out or name in PHRASES else len(cdf) - len(cdf) // 8
        return words[bisect_right(cdf, rng.random() * cdf[known - 1], hi=known - 1)]


def draw_words(rng: np.random.Generator, lexicon: Lexicon, *, held_out: bool) -> dict[str, str]:
    """Draw one word for everything a template may ask for, for either label.

    Returns a dict from slot to word(s): ``noun``, ``good``, ``bad`` (of one aspect), ``noun2``,
    ``good2``, ``bad2`` (of a different aspect) and one entry per list of ``PHRASES``.
    """
    words = {name: lexicon.draw(rng, name, held_out=held_out) for name in PHRASES}
    aspects = ["food", "staff", "place"]
    first = aspects.pop(bisect_right([0.5, 0.8], rng.random()))
    second = aspects[int(rng.random() * 2)]
    for aspect, suffix in ((first, ""), (second, "2")):
        words["noun" + suffix] = lexicon.draw(rng, aspect + "_noun", held_out=held_out)
        for side in ("good", "bad"):
            group = aspect if rng.random() < 0.5 else "any"
            words[side + suffix] = lexicon.draw(rng, f"{group}_{side}", held_out=held_out)
    return words


def realise(template: str, words: dict[str, str], label: int) -> str:
    """Fill ``template`` so that it says ``label`` (0 or 1); the same arguments give the same text.

    Capital words are slots: ADJ, MORE, LIKED and CLOSE agree with the label, OPP and LESS
    contradict it, the others (NOUN, NAME, ADV, ...) are neutral.
    """
    same, other = ("good", "bad") if label else ("bad", "good")
    slots = {"ADJ": same, "ADJ2": same + "2", "OPP": other}
    slots |= {"LIKED": f"liked_{same}", "CLOSE": f"close_{same}"}
    slots |= {"MORE": f"more_{same}", "LESS": f"more_{other}"}
    return " ".join(
        words[slots.get(token, token.lower())] if token.isupper() else token
        for token in template.split()
    )


def generate(
    rng: np.random.Generator, n: int, lexicon: Lexicon, seen: set[str], *, held_out: bool
) -> tuple[list[str], np.ndarray]:
    """Draw ``n`` new sentences, half of each label (to within one), in random order.

    Args:
        rng: source of all randomness.
        n: number of sentences.
        lexicon: the words and their frequencies.
        seen: sentences that may not be drawn again; the new ones are added.
        held_out: whether held-back words may appear.

    Returns:
        sentences (n strings of space-separated tokens) and labels (n,) int64 of 0/1.
    """
    drawn: list[tuple[str, int]] = []
    for label in (0, 1):
        quota = n // 2 + (label * n) % 2
        # Fixed quotas instead of random kinds: every seed is equally hard.
        edges = np.cumsum([share[label] for share in SHARES.values()])
        kinds = np.searchsorted(edges[:-1], (np.arange(quota) + 0.5) / quota)
        for kind in kinds:
            choices = TEMPLATES[list(SHARES)[kind]]
            text = ""
            while not text or text in seen:
                template = choices[int(rng.random() * len(choices))]
                text = realise(template, draw_words(rng, lexicon, held_out=held_out), label)
            seen.add(text)
            drawn.append((text, label))
    drawn = [drawn[i] for i in rng.permutation(n)]
    return [text for text, _ in drawn], np.array([label for _, label in drawn], dtype=np.int64)


def word_meanings() -> tuple[dict[str, float], dict[str, str]]:
    """Read off the grammar what its words mean.

    Returns:
        polarity: word -> 1 (good), -1 (bad), or half of that for a word of a telling phrase;
            words that also stand in neutral places or on both sides are absent.
        topic: word -> ``food``, ``staff``, ``place`` or ``any``, for nouns and adjectives.
    """
    sides: dict[str, set[float]] = {}
    topic: dict[str, str] = {}
    for name, words in ASPECT_WORDS.items():
        aspect, _, part = name.partition("_")
        for word in words.split():
            topic[word] = aspect
            sides.setdefault(word, set()).add({"good": 1.0, "bad": -1.0}.get(part, 0.0))
    for name, text in PHRASES.items():
        side = {"good": 0.5, "bad": -0.5}.get(name.partition("_")[2], 0.0)
        for phrase in text.split("|"):
            strength = side if " " in phrase else 2 * side
            for word in phrase.split():
                sides.setdefault(word, set()).add(strength)
    for templates in TEMPLATES.values():
        for word in " ".join(templates).split():
            sides.setdefault(word, set()).add(0.0)
    polarity = {word: values.pop() for word, values in sides.items() if len(values) == 1}
    return polarity, topic


def make_vectors(
    rng: np.random.Generator, known: set[str], new: set[str]
) -> tuple[list[str], np.ndarray]:
    """Make up word vectors in which words of like meaning lie close together.

    A vector is polarity and topic along directions of their own, plus noise. One word in eight of
    ``known`` has none; every word of ``new`` has one, which is what makes the vectors worth using.

    Args:
        rng: source of all randomness.
        known: the words of the training sentences.
        new: the words that only other sentences have.

    Returns:
        words (k strings, in random order) and matrix (k, VECTOR_SIZE) float32, a row per word.
    """
    polarity, topic = word_meanings()
    topics = [*sorted(set(topic.values())), None]  # None: neither noun nor adjective
    directions = rng.standard_normal((1 + len(topics), VECTOR_SIZE))
    directions *= MEANING / np.linalg.norm(directions, axis=1, keepdims=True)
    count = round(MISSING * len(known | new))
    left_out = {str(word) for word in rng.permutation(sorted(known))[:count]}
    words = [str(word) for word in rng.permutation(sorted((known | new) - left_out))]
    charge = np.array([polarity.get(word, 0.0) for word in words])[:, None]
    charge *= rng.uniform(0.6, 1.4, charge.shape)  # "great" says more than "nice"
    about = directions[[1 + topics.index(topic.get(word)) for word in words]]
    noise = NOISE * rng.standard_normal((len(words), VECTOR_SIZE))
    return words, (charge * directions[0] + about + noise).astype(np.float32)


def vocabulary(sentences: Iterable[str]) -> set[str]:
    """Return the distinct words of all ``sentences``."""
    return {word for sentence in sentences for word in sentence.split()}


def read_lines(path: Path) -> Iterable[tuple[str, str]]:
    """Yield the lines of a UTF-8 file as (``path:number``, text without the line end).

    Raises:
        FileNotFoundError: the file is missing.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} {REMEDY}")
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            yield f"{path}:{number}", line.rstrip("\n")


def read_labelled(path: Path) -> tuple[list[str], np.ndarray]:
    """Read lines ``<0 or 1> <tokens>``; returns n sentences and labels (n,) int64.

    Raises:
        FileNotFoundError: the file is missing.
        ValueError: a line has another form; the message names the file and the line.
    """
    sentences, labels = [], []
    for place, line in read_lines(path):
        label, _, text = line.partition(" ")
        if label not in ("0", "1") or not text.strip():
            raise ValueError(f"{place}: got {line[:60]!r}, expected '<0 or 1> <tokens>'")
        sentences.append(text)
        labels.append(int(label))
    return sentences, np.array(labels, dtype=np.int64)


def read_unlabelled(path: Path) -> list[str]:
    """Read one sentence per line.

    Raises:
        FileNotFoundError: the file is missing.
        ValueError: a line is blank; the message names the file and the line.
    """
    sentences = []
    for place, line in read_lines(path):
        if not line.strip():
            raise ValueError(f"{place}: got {line!r}, expected '<tokens>'")
        sentences.append(line)
    return sentences


def read_vectors(path: Path, wanted: set[str]) -> tuple[list[str], np.ndarray]:
    """Read the vectors of the ``wanted`` words from lines ``<word> <number> ... <number>``.

    The complete GloVe file has 400,000 lines: of words that nobody asks for only the number of
    fields is looked at.

    Returns:
        words (k strings, in the order of the file) and matrix (k, d) float32, a row per word.

    Raises:
        FileNotFoundError: the file is missing.
        ValueError: a line has another form; the message names the file and the line.
    """
    size = None
    found: dict[str, np.ndarray] = {}
    for place, line in read_lines(path):
        word, _, numbers = line.partition(" ")
        fields = numbers.count(" ") + 1 if numbers else 0
        size = size or fields
        if not word or fields != size or size == 0:
            expected = f"'<word> <{size or 'd'} numbers>'"
            raise ValueError(f"{place}: got {line[:60]!r} ({fields} numbers), expected {expected}")
        if word in wanted and word not in found:
            try:
                found[word] = np.array(numbers.split(" "), dtype=np.float32)
            except ValueError as error:
                raise ValueError(f"{place}: {word}: {error}") from None
            if not np.isfinite(found[word]).all():
                raise ValueError(f"{place}: {word}: got a number that is not finite")
    if not found:
        raise ValueError(f"{path}: has a vector of no word of the sentences")
    return list(found), np.stack(list(found.values()))


def load(tier: str, data: Path | None, seed: int) -> dict[str, dict[str, Any]]:
    """Load the sentences of one tier and word vectors for them.

    Args:
        tier: ``"mini"`` (generated) or ``"full"`` (files).
        data: folder that holds ``sentences/train.txt`` and its siblings and ``glove/``; used by
            ``full`` only.
        seed: seed of the generator; used by ``mini`` only.

    Returns:
        ``inputs``: ``train_sentences``, ``dev_sentences``, ``test_sentences``,
        ``unlabelled_sentences`` (lists of str) with ``train_labels``, ``dev_labels`` (n,) int64,
        and ``vectors``, a pair of words (k str) and their matrix (k, d) float32, for words that
        occur in these sentences. ``withheld``: ``labels`` of the test sentences, (n,) int64, and
        on ``mini`` ``unlabelled_labels``; nobody knows those of ``full``.

    Raises:
        FileNotFoundError: ``full`` without the data folder or one of its files.
        ValueError: an unknown tier or a malformed line.
    """
    splits: dict[str, tuple[list[str], np.ndarray]] = {}
    withheld: dict[str, np.ndarray] = {}
    if tier == "mini":
        rng = np.random.default_rng(seed)
        lexicon, seen = Lexicon(rng), set[str]()
        for split, n in SIZES.items():
            splits[split] = generate(rng, n, lexicon, seen, held_out=split == "test")
        # Streams of their own: what came later leaves the sentences above as they were.
        unlabelled, withheld["unlabelled_labels"] = generate(
            np.random.default_rng([seed, 1]), UNLABELLED_SIZE, lexicon, seen, held_out=True
        )
        known, every = vocabulary(splits["train"][0]), vocabulary(seen)
        vectors = make_vectors(np.random.default_rng([seed, 2]), known, every - known)
    elif tier == "full":
        if data is None:
            raise FileNotFoundError(f"sentences/train.txt {REMEDY}")
        for split in SIZES:
            splits[split] = read_labelled(data / "sentences" / f"{split}.txt")
        unlabelled = read_unlabelled(data / "sentences" / "unlabelled.txt")
        every = vocabulary(unlabelled).union(*(vocabulary(texts) for texts, _ in splits.values()))
        vectors = read_vectors(data / GLOVE_FILE, every)
    else:
        raise ValueError(f"tier: got {tier!r}, expected 'mini' or 'full'")
    inputs: dict[str, Any] = {f"{split}_sentences": splits[split][0] for split in splits}
    inputs |= {f"{split}_labels": splits[split][1] for split in ("train", "dev")}
    inputs |= {"unlabelled_sentences": unlabelled, "vectors": vectors}
    return {"inputs": inputs, "withheld": {"labels": splits["test"][1], **withheld}}
