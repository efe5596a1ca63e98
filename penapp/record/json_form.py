"""Flat frozen dataclasses as JSON messages, and the JSON schema of each."""

from __future__ import annotations

import json
from dataclasses import MISSING, Field, asdict, fields
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_type_hints

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Record = TypeVar("Record", bound="DataclassInstance")

_JSON_TYPE: dict[object, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}


class MalformedError(ValueError):
    """A message that does not fit its schema."""


def schema_of(record: type[DataclassInstance], title: str) -> dict[str, Any]:
    """JSON schema of a flat dataclass: str, int, float, bool, those or None, tuples of str."""
    hints = get_type_hints(record)
    required = [f.name for f in fields(record) if f.default is MISSING]
    properties = {f.name: _property(hints[f.name]) for f in fields(record)}
    summary = (record.__doc__ or title).split("\n")[0]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "description": summary,
        "type": "object",
        "properties": properties,
        "required": required,
    }


def to_json(record: DataclassInstance) -> bytes:
    """All fields, in the order of the class."""
    return json.dumps(asdict(record), ensure_ascii=False, separators=(",", ":")).encode()


def from_json(record: type[Record], raw: bytes) -> Record:
    """Unknown fields are ignored; `MalformedError` if one is missing or of another type."""
    try:
        found = json.loads(raw)
    except ValueError as error:
        raise MalformedError(f"no JSON: {error}.") from error
    if not isinstance(found, dict):
        raise MalformedError(f"a {type(found).__name__} stands where an object is expected.")
    hints = get_type_hints(record)
    values = {f.name: _value(f, hints[f.name], found) for f in fields(record) if _is_stated(f, found)}
    return record(**values)


def _property(hint: Any) -> dict[str, Any]:
    if hint == tuple[str, ...]:
        return {"type": "array", "items": {"type": "string"}}
    options = get_args(hint)
    if options:
        return {"type": [_JSON_TYPE[o] for o in options if o is not type(None)] + ["null"]}
    return {"type": _JSON_TYPE[hint]}


def _is_stated(field: Field[Any], found: dict[str, Any]) -> bool:
    if field.name in found:
        return True
    if field.default is MISSING:
        raise MalformedError(f"{field.name} is missing.")
    return False


def _value(field: Field[Any], hint: Any, found: dict[str, Any]) -> Any:
    value = found[field.name]
    if hint == tuple[str, ...]:
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
    elif _fits(value, get_args(hint) or (hint,)):
        return float(value) if float in (get_args(hint) or (hint,)) and value is not None else value
    raise MalformedError(f"{field.name} is {value!r}.")


def _fits(value: object, kinds: tuple[Any, ...]) -> bool:
    if value is None:
        return type(None) in kinds
    if isinstance(value, bool):
        return bool in kinds
    if isinstance(value, int) and float in kinds:
        return True
    return type(value) in kinds
