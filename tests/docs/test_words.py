"""Pages, templates and rubrics are written in plain words: short, active, the reader's own."""

import re

import pytest

from tests.conftest import ROOT

# Words that readers stumbled over, and what to write in their place.
PATTERNS = {
    r"\b(?:is|are|was|were|be|been) told\b(?!\sapart)": "name who reads what, or say what is shown",
    r"\btold (?:about|are|of)\b": "say what is shown",
    r"\btells? (?:of|about)\b": "says, shows",
    r"\btold are\b": "put the subject first",
    r"\bcannot be meant\b": "is wrong, is not valid",
    r"\b(?:mend|mends|mended|mending)\b": "fix",
    r"\bsuch cases?\b": "name the cases",
    r"\bexactly this comes out\b": "these are exactly the values you get when ...",
    r"\bnot for sale\b": "say what is not possible",
    r"\b(?<!there\s)(?:is|are|was|were) no (?!longer\b|more\b)[a-z]+": "is not a ...",
    r"\bstands? among\b": "is one of, is in",
    r"\bpaid for (?:once|twice)\b": "costs points once",
    r"\bright but for\b": "wrong only because of",
    r"\bgo(?:es)? on working\b": "keeps working",
    r"\b(?:code|errors?|faults?|mistakes?|nothing|process|tracebacks?|[a-z]+ors) of ours\b": (
        "say whose: the grader's, the assignment's"
    ),
}
# Text that is quoted or generated, with the reason why it stays.
ALLOWED = {
    ("reference/datasets/sentence_grammar.py", "was told"): "a sentence of a generated review",
}


def sources():
    """Return the files that people read: pages, templates, rubrics."""
    globs = (
        "*.md", "docs/*.md", "tests/README.md", ".github/**/*.md", ".github/**/*.yml",
        "rubric.yaml", "submissions_template/*.py", "submissions_template/*.md",
        "submissions_template/*.tex", "examples/*/rubric.yaml",
        "examples/*/submissions_template/*", "Makefile", "Dockerfile", "grader/**/*.py",
        "grader/**/*.j2", "grader/**/*.yaml", "grader/**/*.md", "latexgrad/**/*.py",
        "benchmarks/*.py", "reference/*.py", "reference/[cdj]*/*.py",
        "examples/*/reference/*.py", "examples/*/reference/[cdj]*/*.py",
    )  # fmt: skip
    return sorted({path for pattern in globs for path in ROOT.glob(pattern) if path.is_file()})


def faults(text):
    """Yield the line and the words of each fault; words may go on in the next line."""
    for pattern, better in PATTERNS.items():
        for match in re.finditer(pattern.replace(" ", r"[\s#]+"), text, re.IGNORECASE):
            words = " ".join(match[0].replace("#", " ").split())
            yield text.count("\n", 0, match.start()) + 1, words, better


def test_the_patterns_are_nowhere():
    found = [
        f"{name}:{line}: {words!r}: {better}"
        for path in sources()
        for name in [path.relative_to(ROOT).as_posix()]
        for line, words, better in faults(path.read_text(encoding="utf-8"))
        if (name, words) not in ALLOWED
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "text",
    [
        "the student is told\nwhy",
        "it is no array",
        "Is no Python at all",
        "Mend it first",
        "Told are scores",
        "an error of ours",
        "exactly this comes\n# out when",
        "mend it first",
        "(2 of 2 such cases fail)",
        "a gradient that is right but for a factor",
    ],
)
def test_a_fault_is_found_also_across_lines(text):
    assert list(faults(text))


@pytest.mark.parametrize(
    "text",
    [
        "there is no such file",
        "There is no such file",
        "it is no longer used",
        "networks are told apart",
        "recommend it",
    ],
)
def test_good_words_are_left_alone(text):
    assert list(faults(text)) == []
