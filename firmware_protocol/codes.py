"""Numbers on the wire that a newer pen may extend: the named member where there is one, else the number."""

from __future__ import annotations

from enum import IntEnum
from typing import TypeVar

Code = TypeVar("Code", bound=IntEnum)


def known(table: type[Code], number: int) -> Code | int:
    try:
        return table(number)
    except ValueError:
        return number
