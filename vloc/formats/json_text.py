"""JSON files read into typed structures: what does not fit is refused with the file and the path inside it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec

from ..errors import DataError
from .text_fields import BOM, LARGEST, read_bytes, refusal

T = TypeVar("T")
Number = Annotated[float, msgspec.Meta(ge=-LARGEST, le=LARGEST)]
"""a float that `within_range` of text_fields would take"""


def read_json(path: Path, kind: type[T]) -> T:
    """The content as `kind`; DataError like `file: $.frames[3].w: Expected int, got str`."""
    data = read_bytes(path).removeprefix(BOM)
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        what, _, place = str(error).replace("`", "").partition(" - at ")
        raise DataError(f"{path}: {place or '$'}: {what}") from None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise refusal(path, _line(data, str(error)), f"not JSON: {error}") from None


def write_json(path: Path, content: Any) -> None:
    """Write indented JSON whose numbers read back exactly. A number that is not finite is a mistake of the caller."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(content), indent=1) + b"\n")


def _line(data: bytes, message: str) -> int | None:
    """The line of the byte that a message of msgspec ends with, `... (byte 12)`."""
    number = message.rpartition("(byte ")[2].rstrip(")")
    return data.count(b"\n", 0, int(number)) + 1 if number.isdigit() else None
