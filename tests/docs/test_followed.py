"""Following a page notices what goes otherwise than the page shows."""

import pytest

from tests.docs.followed import follow, same


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("8 / 8\n", "7 / 8\n"),
        ("one\n", "one\ntwo\n"),
        ("one\ntwo\n", "one\n"),
        ("from ... to 3\n", "from 1 to 4\n"),
        ("one\n...\nfour\n", "two\nthree\nfour\n"),
        ("", "Traceback\n"),
    ],
)
def test_output_that_differs_from_the_page_is_noticed(shown, printed):
    assert not same(shown, printed)


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("from ... to 3\n", "from 1 to 3  \n"),
        ("one\n...\nfour\n", "one\ntwo\nthree\nfour\n"),
        ("one\n...\nfour\n", "one\nfour\n"),
        ("", ""),
    ],
)
def test_dots_of_the_page_stand_for_anything(shown, printed):
    assert same(shown, printed)


PAGE = """
Write a file:

**`a.txt`**:

```
one
```

```
$ cat a.txt
one
$ mkdir b && cd b
$ ls ..
a.txt
b
$ false    # exit status 1
```

```sh
false      # not run: no prompt
```
"""


def test_a_page_that_is_right_is_followed(tmp_path):
    assert follow(PAGE, tmp_path) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("$ cat a.txt\none", "$ cat a.txt\ntwo", "$ cat a.txt\none\n(exit status 0)"),
        ("$ false ", "$ true ", "$ true    # exit status 1\n(exit status 0)"),
        ("$ mkdir b && cd b", "$ mkdir b", "$ ls ..\n"),
    ],
)
def test_a_page_that_is_wrong_is_noticed(tmp_path, old, new, said):
    (wrong,) = follow(PAGE.replace(old, new), tmp_path)
    assert wrong.startswith(said)


def test_what_happens_unseen_happens_before_its_command(tmp_path):
    page = PAGE.replace("$ cat a.txt\none", "$ cat a.txt\ntwo")
    change = {"cat a.txt": lambda folder: (folder / "a.txt").write_text("two\n")}
    assert follow(page, tmp_path, change) == []
