"""What a rubric says of the functions that students write, and other checks build on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from grader.model import CheckSpec, Question, Rubric, Signature
from grader.readers.texts import did_you_mean
from grader.readers.yaml_source import YamlPath

Read = Sequence[tuple[YamlPath, Question, Mapping[int, CheckSpec]]]


def of_rubric(rubric: Rubric) -> dict[str, Signature]:
    """Return what the checks of a rubric say of functions, by ``module.function``."""
    found: dict[str, Signature] = {}
    for question in rubric.questions:
        for check in question.checks:
            for one in check.signatures(question.of(check).module):
                known = found.get(one.name)
                # One check may compare what another does not look at, or know who reads a cache.
                if known is None or (len(one.opaque), not one.reader) < (
                    len(known.opaque), not known.reader
                ):  # fmt: skip
                    found[one.name] = one
    return found


def problems(read: Read) -> Iterator[tuple[YamlPath, str, str]]:
    """Yield names in ``builds_on`` of which no check says what the function returns.

    Args:
        read: the questions of a rubric, with their checks by position.

    Yields:
        the path of the key, its name, and what is wrong with it.
    """
    named = [
        (question.of(check).module, (*path, "checks", index), check)
        for path, question, checks in read
        for index, check in checks.items()
    ]
    known = {
        one.name
        for _path, question, checks in read
        for check in checks.values()
        for one in check.signatures(question.of(check).module)
    }
    for module, path, check in named:
        names = check.rests_on(module)
        own = {one.name for one in check.signatures(module)}
        for name in dict.fromkeys(names):
            text = ""
            if name in own:
                text = f"the check is about {name} itself: a right one in its place proves nothing"
            elif name not in known:
                near = did_you_mean(name, sorted(known))
                text = f"no check says what {name} returns, so it cannot be answered{near}"
            elif names.count(name) > 1:
                text = f"{name} appears twice"
            if text:
                yield (*path, "builds_on"), f"{check.id}: builds_on", text
