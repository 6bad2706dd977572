"""Marks a contract's personal fields, and the value that stands where personal data was erased."""

from __future__ import annotations

from typing import Any, Final

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema


class Erased(str):
    """Stands for personal data whose key was deleted; readable as text, recognisable by type (SEC-2)."""

    __slots__ = ()


ERASED: Final = Erased("[erased]")


class Personal:
    """`Annotated[str, Personal()]`: sealed under the event's `data_subject` before it is stored (SEC-1)."""

    __slots__ = ()

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """What was erased stays as it is; no function of ours, for every replay comes by here."""
        return core_schema.union_schema(
            [core_schema.is_instance_schema(Erased), handler(source)],
            mode="left_to_right",
            custom_error_type="string_type",
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """How the field looks in stored and published events: sealed."""
        return {
            "title": "Sealed personal text",
            "type": "object",
            "required": ["sealed"],
            "additionalProperties": False,
            "properties": {"sealed": {"type": "string", "pattern": "^[0-9a-f-]{36}:[A-Za-z0-9+/]+=*$"}},
        }
