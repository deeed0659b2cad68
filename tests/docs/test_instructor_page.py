"""The instructor's page: every command and option that it names is there."""

import re
import shlex

import click
import pytest

from grader import cli
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "instructor.md").read_text(encoding="utf-8")
TEXTS = re.findall(r"`([^`\n]+)`", PAGE) + re.findall(r"^(?:\$ )?(.*)$", PAGE, re.MULTILINE)
COMMANDS = sorted({text.partition("#")[0].strip() for text in TEXTS if text.startswith("grader ")})


def every_command():
    context = click.Context(cli.main)
    return [cli.main.get_command(context, name) for name in cli.main.list_commands(context)]


def options_of(command):
    return {o for each in command.params for o in (*each.opts, *each.secondary_opts)}


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_the_page_exists_with_its_options(line):
    _grader, name, *words = shlex.split(line)
    options = options_of(cli.main.get_command(click.Context(cli.main), name))
    assert {word for word in words if word.startswith("--")} <= options


def test_the_page_shows_all_four_steps():
    assert {line.split()[1] for line in COMMANDS} >= {"grade", "mark", "diff", "export", "doctor"}


@pytest.mark.parametrize("option", sorted(set(re.findall(r"`(--[a-z-]+)", PAGE))))
def test_an_option_of_the_text_belongs_to_some_command(option):
    assert any(option in options_of(command) for command in every_command())
