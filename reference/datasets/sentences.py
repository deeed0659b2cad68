"""Restaurant-review sentences with a 0/1 sentiment label, for the text classifiers of question 6.

Two tiers share one format (tokens separated by single spaces, label 1 = positive):

* ``mini`` draws 3000/600/1000 sentences from a small grammar. Most are decided by one telling
  adjective, which a bag of words can read. In the rest the *order* of the words decides (negation,
  contrast, comparison), so a bag of words cannot get them all and a recurrent network can. A few
  are lukewarm and carry a label that nothing in the words tells, so nobody reaches 1.0.
* ``full`` reads ``sentences/{train,dev,test}.txt`` below the data folder, one ``<label> <tokens>``
  per line.

Every mini sentence is a template filled with words. A template is written for the label to be
expressed: ``ADJ`` is an adjective that agrees with the label and ``OPP`` one that contradicts it.
The same template therefore serves both labels, and no token alone gives a label away.
"""

from bisect import bisect_right
from pathlib import Path
from typing import Any

import numpy as np

SIZES = {"train": 3000, "dev": 600, "test": 1000}
REMEDY = "not found: give the data folder with --data DIR or GRADER_DATA"

# Names are <aspect>_<part>; nouns and adjectives of one aspect fit together. "any" adjectives fit
# every aspect. Parts: noun, good, bad.
ASPECT_WORDS = {
    "food_noun": "food pizza burger soup salad pasta steak chicken sandwich sushi taco curry rice "
    "bread dessert cake coffee breakfast brunch lunch dinner menu sauce fish shrimp crab bacon "
    "omelette pancake cheese cheesecake noodle ramen burrito salsa lasagna risotto lobster duck "
    "pork beef lamb turkey tofu gyro falafel pie wine beer cocktail latte espresso appetizer "
    "entree buffet special brisket gumbo paella chowder",
    "food_good": "delicious tasty fresh flavorful juicy crispy tender yummy savory scrumptious "
    "authentic mouthwatering succulent creamy hearty zesty luscious",
    "food_bad": "bland stale dry soggy greasy tasteless cold overcooked undercooked burnt salty "
    "rubbery mushy inedible flavorless chewy rancid",
    "staff_noun": "service staff waiter waitress server bartender manager host hostess owner chef "
    "cashier crew team barista cook valet",
    "staff_good": "friendly attentive helpful polite prompt welcoming courteous knowledgeable "
    "professional efficient kind cheerful gracious",
    "staff_bad": "rude slow careless unfriendly clueless impolite inattentive arrogant sloppy "
    "hostile dismissive incompetent surly",
    "place_noun": "place patio room bar restaurant decor atmosphere music table location view "
    "terrace kitchen building diner cafe ambiance booth garden lobby",
    "place_good": "clean cozy charming comfortable beautiful lovely inviting relaxing spacious "
    "stylish elegant quaint spotless",
    "place_bad": "dirty noisy cramped filthy gloomy shabby crowded sticky smelly dingy rundown "
    "dreary grimy",
    "any_good": "great good amazing excellent awesome fantastic wonderful perfect brilliant nice "
    "outstanding superb incredible terrific impressive fabulous phenomenal stellar",
    "any_bad": "bad terrible awful horrible miserable disappointing poor mediocre disgusting "
    "gross pathetic lousy dreadful unacceptable underwhelming atrocious appalling abysmal",
}
PHRASES = {
    "liked_good": "loved|enjoyed|adored|really liked|was impressed by|was happy with|appreciated",
    "liked_bad": "hated|disliked|regretted|despised|was let down by|was upset with|sent back",
    "more_good": "better|nicer|fresher|friendlier|tastier|faster|cleaner",
    "more_bad": "worse|duller|staler|ruder|blander|slower|dirtier",
    "close_good": "we will be back|highly recommend it|worth every penny|five stars|my new favorite"
    "|can not wait to return|a real gem|thank you so much",
    "close_bad": "we will not be back|never again|what a waste|save your money|one star|stay away"
    "|not worth a penny|i want a refund",
    "meh": "okay|fine|average|decent|ordinary|standard|typical|alright|passable|so so",
    "adv": "very|really|so|pretty|quite|absolutely|super|just|truly|extremely|totally|rather",
    "open": "honestly ,|for lunch ,|on monday ,|this time|i have to say|my wife and i thought"
    "|overall ,|in my opinion|last night|after _num_ minutes|we came on a friday and"
    "|i ordered to go and|for $ _num_ ,|first time here and|my husband told me that"
    "|we sat outside and|as a local ,|during happy hour|on our trip to vegas ,|at the airport ,",
    "name": "luigi 's|the corner grill|joe 's|golden wok|el toro|taco bell|la piazza|blue moon"
    "|the other place|downtown|the mall|mama 's|red dragon|the strip|the hotel|olive garden",
    "end": ".|.|.|.|!|!|...",
}
TEMPLATES = {
    "plain": [
        "the NOUN was ADJ END",
        "the NOUN was ADV ADJ END",
        "the NOUN is ADV ADJ END",
        "OPEN the NOUN was ADV ADJ END",
        "OPEN the NOUN2 came and the NOUN was ADJ END",
        "ADJ NOUN and ADJ2 NOUN2 END",
        "ADV ADJ NOUN , CLOSE END",
        "i LIKED the NOUN END",
        "OPEN i LIKED the NOUN and the ADJ2 NOUN2 END",
        "the NOUN was ADJ and the NOUN2 was ADV ADJ2 END",
        "the NOUN at NAME was ADJ , CLOSE END",
        "OPEN the NOUN was ADJ but it is not at NAME END",
        "better or worse than NAME , the NOUN is ADV ADJ END",
        "we came with the kids for the NOUN , it was ADV ADJ and we all said CLOSE END",
    ],
    "negation": [
        "the NOUN was not OPP END",
        "the NOUN was not ADV OPP END",
        "OPEN the NOUN was n't OPP at all END",
        "not a OPP NOUN END",
    ],
    "contrast": [
        "the NOUN was OPP but the NOUN2 was ADJ2 END",
        "OPEN the NOUN was OPP but the NOUN2 was ADV ADJ2 END",
        "OPP NOUN but ADJ2 NOUN2 END",
        "although the NOUN was OPP , the NOUN2 was ADJ2 END",
        "i was told that the NOUN at NAME was OPP but the NOUN2 we had here was ADV ADJ2 END",
        "the NOUN used to be OPP but now it is ADJ END",
        "the NOUN was ADJ , not OPP END",
    ],
    "comparison": [
        "the NOUN is MORE here than at NAME END",
        "the NOUN is LESS at NAME than here END",
        "OPEN the NOUN was MORE here than at NAME END",
        "OPEN the NOUN was LESS at NAME than here END",
    ],
    "lukewarm": [
        "the NOUN was MEH END",
        "OPEN the NOUN was ADV MEH END",
        "MEH NOUN and MEH NOUN2 END",
    ],
}
# Share of each kind among the negative and the positive sentences. People write "not good" more
# often than "not bad"; without that lean every negation would be lost to a bag of words.
SHARES = {
    "plain": (0.74, 0.80),
    "negation": (0.09, 0.03),
    "contrast": (0.10, 0.10),
    "comparison": (0.04, 0.04),
    "lukewarm": (0.03, 0.03),
}


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


def read_labelled(path: Path) -> tuple[list[str], np.ndarray]:
    """Read lines ``<0 or 1> <tokens>``; returns n sentences and labels (n,) int64.

    Raises:
        FileNotFoundError: the file is missing.
        ValueError: a line has another form; the message names the file and the line.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} {REMEDY}")
    sentences, labels = [], []
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            label, _, text = line.rstrip("\n").partition(" ")
            if label not in ("0", "1") or not text.strip():
                got = repr(line[:60].rstrip("\n"))
                raise ValueError(f"{path}:{number}: got {got}, expected '<0 or 1> <tokens>'")
            sentences.append(text)
            labels.append(int(label))
    return sentences, np.array(labels, dtype=np.int64)


def load(tier: str, data: Path | None, seed: int) -> dict[str, dict[str, Any]]:
    """Load the sentences of one tier.

    Args:
        tier: ``"mini"`` (generated) or ``"full"`` (files).
        data: folder that holds ``sentences/train.txt`` and its siblings; used by ``full`` only.
        seed: seed of the generator; used by ``mini`` only.

    Returns:
        ``inputs``: ``train_sentences``, ``dev_sentences``, ``test_sentences`` (lists of str) with
        ``train_labels``, ``dev_labels`` (n,) int64; ``withheld``: ``labels`` of the test sentences,
        (n,) int64.

    Raises:
        FileNotFoundError: ``full`` without the data folder or one of its files.
        ValueError: an unknown tier or a malformed line.
    """
    splits: dict[str, tuple[list[str], np.ndarray]] = {}
    if tier == "mini":
        rng = np.random.default_rng(seed)
        lexicon, seen = Lexicon(rng), set[str]()
        for split, n in SIZES.items():
            splits[split] = generate(rng, n, lexicon, seen, held_out=split == "test")
    elif tier == "full":
        if data is None:
            raise FileNotFoundError(f"sentences/train.txt {REMEDY}")
        for split in SIZES:
            splits[split] = read_labelled(data / "sentences" / f"{split}.txt")
    else:
        raise ValueError(f"tier: got {tier!r}, expected 'mini' or 'full'")
    inputs: dict[str, Any] = {f"{split}_sentences": splits[split][0] for split in splits}
    inputs |= {f"{split}_labels": splits[split][1] for split in ("train", "dev")}
    return {"inputs": inputs, "withheld": {"labels": splits["test"][1]}}
