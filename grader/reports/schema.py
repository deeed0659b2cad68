"""``report.schema.json`` from the type: ``python -m grader.reports.schema`` writes it anew."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from grader.reports.report import Report

FILE = Path(__file__).parent / "report.schema.json"
TITLE = "report.json: the result of grading one submission"
NULL = {"type": "null"}


class _AsWritten(GenerateJsonSchema):
    """Describes reports as this version writes them: its keys in their order, and no others."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        del schema  # titles would only repeat the names of the keys
        return False

    def sort(self, value: Any, parent_key: str | None = None) -> Any:
        del parent_key
        return value

    def default_schema(self, schema: Any) -> Any:
        return self.generate_inner(schema["schema"])  # a reader has no use for our defaults

    def model_field_schema(self, schema: Any) -> Any:
        """Return the schema of a key; one that is left out where it is empty is never null."""
        made = super().model_field_schema(schema)
        if "serialization_exclude_if" not in schema or "anyOf" not in made:
            return made
        (filled,) = [choice for choice in made["anyOf"] if choice != NULL]
        return filled


def text() -> str:
    """Return the JSON Schema of what this version writes."""
    made = Report.model_json_schema(mode="serialization", schema_generator=_AsWritten)
    definitions = made.pop("$defs")
    for definition in (made, *definitions.values()):
        definition.pop("title", None)  # the name of the class
    whole = {"$schema": _AsWritten.schema_dialect, "title": TITLE, **made, "$defs": definitions}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
