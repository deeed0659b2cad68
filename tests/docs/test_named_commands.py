"""Every command and option that a page names is there."""

import re
import shlex

import click
import pytest

from grader import cli
from tests.conftest import ROOT

PAGES = [
    ROOT / name
    for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/student.md",
                 "docs/instructor.md", "docs/gradescope.md", "docs/security.md",
                 "docs/new-assignment.md", "docs/reports.md", "docs/rubric.md", "docs/releasing.md")
]  # fmt: skip
TEXTS = {page: page.read_text(encoding="utf-8") for page in PAGES}
OTHERS = {"--help", "--version"}  # of every command
# Options of other programs that pages show, and the words that stand before them.
THEIRS = re.compile(
    r"(?:pytest|docker|pip|git|mypy|benchmarks/\w+\.py|validity|--isolation none) .*"
)


def command_of(words):
    """Return the command that is named and the words after it; None in place of one that is not."""
    command = cli.main
    while words and isinstance(command, click.Group):
        command = command.get_command(click.Context(command), words[0])
        words = words[1:]
    return command, words


def options_of(command):
    return {option for each in command.params for option in (*each.opts, *each.secondary_opts)}


def commands(command=cli.main):
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from commands(command.get_command(context, name))
    else:
        yield command


def named_commands():
    for page, text in TEXTS.items():
        quoted = re.findall(r"`(grader [^`\n]+)`", text)
        shown = re.findall(r"^(?:\$ )?(?:\S*/)?(grader [^\n]*)$", text, re.MULTILINE)
        for line in sorted({line.partition("#")[0].strip() for line in quoted + shown}):
            yield page.name, line


def wrong_with(line):
    """Say what in a command of a page is not there; None if all is."""
    _grader, *words = shlex.split(line.partition(" && ")[0].replace("\\|", "|"))
    if set(words) <= OTHERS:
        return None
    command, words = command_of(words)
    if command is None:
        return "no such command"
    options = {word.strip("[]") for word in words if word.strip("[]").startswith("--")}
    return ", ".join(sorted(options - options_of(command) - OTHERS)) or None


def test_every_command_of_a_page_exists_with_its_options():
    wrong = [f"{page}: {line}: {wrong_with(line)}" for page, line in named_commands()
             if wrong_with(line)]  # fmt: skip
    assert not wrong, "\n".join(wrong)


def test_every_option_of_a_page_s_text_belongs_to_some_command():
    there = {option for command in commands() for option in options_of(command)} | OTHERS
    there |= {"--submission", "--pdb", "--junitxml", "--json-report", "--grader-seed-file"}
    wrong = [
        f"{page.name}: {option}"
        for page, text in TEXTS.items()
        for quoted in re.findall(r"`([^`\n]+)`", text)
        if not THEIRS.match(quoted)
        for option in re.findall(r"(?:^|\s|\[)(--[a-z-]+)", quoted)
        if option not in there
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("line", ["grader gade class/", "grader grade class/ --otu reports"])
def test_a_command_that_is_not_there_is_noticed(line):
    assert wrong_with(line)
