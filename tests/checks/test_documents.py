"""Which documents of a submission may hold a derivation, and how their bytes become text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from grader.checks import Context, documents
from grader.errors import Failure
from grader.model import Question

HEADING = "\\section{Vanilla RNN: one step}"


def context(files: dict[str, bytes], supplied: tuple[str, ...] = ()) -> Context:
    """Return a context in which these files were handed in."""
    question = Question("q1", "toy", "toy.py", (), (), tuple(map(Path, supplied)))

    def read_file(name: str) -> bytes:
        if name not in files:
            raise Failure("missing", f"{name} is missing")
        return files[name]

    def open_module(_seed: int):
        raise AssertionError("documents need no student code")

    return Context(
        *(None, question, 0, "mini", None, open_module, read_file), documents=tuple(files)
    )  # type: ignore[arg-type]


def texts(files: dict[str, bytes]) -> dict[str, str]:
    """Return the documents in which an answer is looked for."""
    return dict(documents.texts(context(files), ["derivations.tex", "derivations.md"]))


@pytest.mark.parametrize(
    "data",
    [
        "∂L/∂b".encode(),
        b"\xef\xbb\xbf" + "∂L/∂b".encode(),
        "∂L/∂b".encode("utf-16"),
        "\ufeff∂L/∂b".encode("utf-16-be"),
    ],
)
def test_text_is_read_in_the_usual_encodings(data):
    assert documents.decoded(data) == "∂L/∂b"


def test_utf_16_without_its_mark_is_seen_by_its_zeros():
    assert documents.decoded("dL/db = dL/dy".encode("utf-16-le")) == "dL/db = dL/dy"
    assert documents.decoded("dL/db = dL/dy".encode("utf-16-be")) == "dL/db = dL/dy"
    assert documents.decoded("é".encode("latin-1")) == "é"


def test_documents_of_any_name_are_candidates_after_those_asked_for():
    files = {"notes/deep/a.md": b"a", "hw2.tex": b"b", "derivations.md": b"c", "README.md": b"d"}
    assert list(texts(files)) == ["derivations.md", "hw2.tex", "notes/deep/a.md"]


def test_what_students_are_given_is_no_answer_of_theirs():
    files = {"hw2.tex": b"a", "hw2/guide.md": b"b", "question.pdf": b"%PDF-1.7"}
    given = context(files, ("guide.md", "question.pdf"))
    assert dict(documents.texts(given, ["derivations.tex"])) == {"hw2.tex": "a"}
    assert documents.pictures(given, ["derivations.tex"]) == []


def test_of_a_file_asked_for_that_is_there_copies_in_other_folders_are_passed_over():
    files = {"a/derivations.tex": b"a", "b/derivations.tex": b"b"}
    assert texts(files) == {name: data.decode() for name, data in files.items()}
    assert texts({**files, "derivations.tex": b"c"}) == {"derivations.tex": "c"}


def test_what_a_document_includes_stands_in_its_place():
    files = {
        "main.tex": b"\\begin{document}\\input{parts/rnn}\\include{lstm}\\end{document}",
        "parts/rnn.tex": HEADING.encode(),
        "lstm.tex": b"LSTM",
    }
    assert texts(files) == {"main.tex": f"\\begin{{document}}{HEADING}LSTM\\end{{document}}"}


def test_an_include_in_a_comment_includes_nothing():
    text = "a % was \\input{old} \n\\% \\input{new}"
    files = {"main.tex": text.encode(), "old.tex": b"1\n2", "new.tex": b"3"}
    assert texts(files) == {"main.tex": "a % was \\input{old} \n\\% 3", "old.tex": "1\n2"}


def test_documents_that_include_each_other_end():
    found = texts(
        {"a.tex": b"\\input{b}", "b.tex": b"\\input{a}", "derivations.tex": b"\\input{a}"}
    )
    assert list(found) == ["derivations.tex"]
    assert len(found["derivations.tex"]) < 100


def test_an_included_file_that_is_missing_stays_to_be_seen():
    assert texts({"derivations.tex": b"\\input{gone}"}) == {"derivations.tex": "\\input{gone}"}


def test_the_markdown_cells_of_a_notebook_are_a_document():
    cells = [
        {"cell_type": "markdown", "source": ["# RNN\n", "$a$"]},
        {"cell_type": "code", "source": "print(1)"},
        {"cell_type": "markdown", "source": "$b$"},
    ]
    found = texts({"hw.ipynb": json.dumps({"cells": cells}).encode()})
    assert found == {"hw.md": "# RNN\n$a$\n\n$b$"}
    assert documents.markdown_of("not a notebook") == ""


def test_a_notebook_of_code_alone_is_no_document():
    book = json.dumps({"cells": [{"cell_type": "code", "source": "print(1)"}]}).encode()
    assert texts({"rnn_layers.ipynb": book}) == {}


def test_pictures_are_named_whatever_their_suffix():
    files = {"derivations.tex": b"%PDF-1.7", "page 1.jpg": b"\xff\xd8\xff", "a.tex": b"a"}
    found = documents.pictures(context(files), ["derivations.tex"])
    assert found == ["derivations.tex", "page 1.jpg"]
    assert list(texts(files)) == ["a.tex"]
