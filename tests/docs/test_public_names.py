"""The page of public names lists what is there, no more and no less."""

import json
import re
from typing import get_args

import click
import pytest

import latexgrad
from grader import author, cli, model
from grader.assignment import examples
from grader.checks import KINDS
from grader.errors import REASONS
from grader.frontends.commands import exit_status
from grader.reports.gradebook import FIRST_COLUMNS, FURTHER_COLUMNS
from grader.run import pytest_plugin
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "public-names.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## ([^\n]*)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
SCHEMA = json.loads((ROOT / "grader" / "reports" / "report.schema.json").read_text("utf-8"))


def named(text):
    return set(re.findall(r"`([^`\n]+)`", text))


def rows(section):
    """Return the names in the second column of a section's tables, by the first column's text."""
    found = re.findall(r"^\| (.*?) \| (.*) \|$", SECTIONS[section], re.MULTILINE)
    return {first.strip("`"): named(second) for first, second in found}


def commands(command=cli.main, name="grader"):
    """Return the commands that do something, by their full names."""
    if not isinstance(command, click.Group):
        return {name: command}
    context = click.Context(command)
    found = {}
    for each in command.list_commands(context):
        found |= commands(command.get_command(context, each), f"{name} {each}")
    return found


def options_of(command):
    return {
        option
        for parameter in command.params
        if isinstance(parameter, click.Option)
        for option in (*parameter.opts, *parameter.secondary_opts)
    }


def test_every_command_and_option_is_listed():
    table = rows("Commands and options").items()
    listed = {name: texts for name, texts in table if name.startswith("grader ")}
    assert listed == {name: options_of(command) for name, command in commands().items()}


def test_every_option_of_pytest_is_listed(request):
    parser = pytest.Parser(_ispytest=True)
    pytest_plugin.pytest_addoption(parser)
    there = {name for option in parser._anonymous.options for name in option.names()}
    there |= {
        name for group in parser._groups for option in group.options for name in option.names()
    }
    line = next(line for line in PAGE.splitlines() if line.startswith("With pytest"))
    assert {name for name in named(line) if name.startswith("--")} == there


def test_every_exit_status_is_listed():
    statuses = vars(exit_status)
    there = {status for name, status in statuses.items() if name.startswith("EXIT_")}
    listed = re.findall(r"^\| `(\d+)` \|", SECTIONS["Exit statuses"], re.MULTILINE)
    assert {int(status) for status in listed} == there | {0}


@pytest.mark.parametrize(
    ("row", "keys"),
    [
        ("top level", model.RubricSpec),
        ("late", model.LateSpec),
        ("rate_limit", model.RateLimitSpec),
        ("leaderboard", model.LeaderboardSpec),
        ("question", model.QuestionSpec),
        ("every check", model.CheckSpec),
    ],
)
def test_every_key_of_a_rubric_is_listed(row, keys):
    assert rows("The rubric")[row] == set(keys.model_fields)


def test_every_key_of_every_kind_is_listed():
    listed = {kind: keys for kind, keys in rows("The rubric").items() if kind in KINDS}
    common = set(model.CheckSpec.model_fields)
    # ``seed`` of ``predictions`` is a key of its own, which no other kind has.
    assert listed == {kind: set(KINDS[kind].options.model_fields) - common for kind in KINDS}


def test_every_key_of_claims_is_listed():
    line = next(line for line in PAGE.splitlines() if line.startswith("`expected.yaml`"))
    of_the_file, of_a_loss = line.split("; ")
    assert named(of_the_file) - {"expected.yaml"} == set(examples.Claims.model_fields)
    assert named(of_a_loss) == set(examples.Loss.model_fields)


@pytest.mark.parametrize("module", [author, latexgrad], ids=lambda module: module.__name__)
def test_every_name_of_the_modules_that_are_imported_is_listed(module):
    lines = SECTIONS["The assignment's code"].splitlines()
    table = lines[lines.index(f"| `{module.__name__}` |") :]
    assert named(table[2]) == set(module.__all__)


def test_words_of_reports_are_listed():
    listed = rows("Reports")
    assert listed["outcome of a check"] == set(get_args(model.Outcome))
    assert listed["reason of a failure"] == REASONS
    first = listed["first columns of `gradebook.csv"]
    assert first == {*FIRST_COLUMNS, *FURTHER_COLUMNS}


# What figures are made of may change at any time, as measurements may.
FIGURES = {
    "figures",
    "measurements",
    "PictureReport",
    "FormulaReport",
    "HandedInFileReport",
}


def properties_of(schema):
    """Yield the names of all properties of a schema, but those of figures and measurements."""
    if isinstance(schema, list):
        for each in schema:
            yield from properties_of(each)
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        for key, each in schema.items():
            if key not in FIGURES and not key.endswith("Figure"):
                yield from properties_of(each)


def test_every_field_of_report_json_is_listed():
    listed = rows("Reports")
    of = (
        "the report",
        "the submission",
        "the student",
        "the group",
        "a member",
        "late",
        "a question",
        "a check",
        "a part",
        "a cause",
        "a cause",
        "a mark",
    )
    assert set().union(*(listed[name] for name in of)) == set(properties_of(SCHEMA))


@pytest.mark.parametrize("old", ["grader.cases", "grader.evidence"])
def test_old_names_that_still_work_are_listed(old):
    assert old in PAGE
