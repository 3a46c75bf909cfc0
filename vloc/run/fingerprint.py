"""Fingerprints of values: the same in every process and on every machine, different when the value differs."""

from __future__ import annotations

import dataclasses
import hashlib
import struct
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

NUM_BYTES = 16

_Hash = Any  # hashlib has no public name for its objects


def fingerprint(*values: object) -> str:
    """32 hex digits that stand for plain values, nested at will: text, numbers, arrays, sequences, dataclasses.

    A plugin counts with its registered name, another dataclass with its class name; both with all their fields but
    those of `settings_of`.
    TypeError: a value whose content cannot be seen, such as a function or a file.
    """
    state = hashlib.blake2b(digest_size=NUM_BYTES)
    _add_sequence(state, values)
    return state.hexdigest()


def settings_of(value: Any) -> dict[str, Any]:
    """The fields of a dataclass, without those that came later (`metadata={"later": True}`) and have their default.

    Which is what was done before they came: results of then serve.
    """
    fields = dataclasses.fields(value)
    values = {field.name: getattr(value, field.name) for field in fields}
    unsaid = {field.name for field in fields if field.metadata.get("later") and values[field.name] == field.default}
    return {name: values[name] for name in values if name not in unsaid}


def bytes_fingerprint(data: bytes | memoryview) -> str:
    """32 hex digits that stand for the content of a file."""
    return hashlib.blake2b(data, digest_size=NUM_BYTES).hexdigest()


def _add(state: _Hash, value: object) -> None:
    match value:
        case None:
            state.update(b"N")
        case bool() | np.bool_():
            state.update(b"T" if value else b"F")
        case int() | np.integer():
            _add_bytes(state, b"i", str(int(value)).encode())
        case float() | np.floating():
            state.update(b"f" + struct.pack("<d", float(value)))
        case str():
            _add_bytes(state, b"s", value.encode())
        case bytes():
            _add_bytes(state, b"b", value)
        case _:
            _add_nested(state, value)


def _add_nested(state: _Hash, value: object) -> None:
    match value:
        case np.ndarray():
            _add_array(state, value)
        case tuple() | list():
            _add_sequence(state, value)
        case Mapping():
            _add_sequence(state, [part for key in sorted(value) for part in (key, value[key])])
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            name = getattr(value, "plugin_name", type(value).__name__)
            _add_sequence(state, [name, *settings_of(value).items()], tag=b"d")
        case _:
            raise TypeError(f"cannot fingerprint a {type(value).__name__}: {value!r:.80}")


def _add_array(state: _Hash, array: np.ndarray) -> None:
    if array.dtype.hasobject:
        raise TypeError("cannot fingerprint an array of Python objects")
    _add_sequence(state, [array.dtype.str, array.shape], tag=b"a")
    state.update(np.ascontiguousarray(array).data)


def _add_sequence(state: _Hash, values: Iterable[object], tag: bytes = b"l") -> None:
    parts = tuple(values)
    state.update(tag + struct.pack("<Q", len(parts)))
    for part in parts:
        _add(state, part)


def _add_bytes(state: _Hash, tag: bytes, data: bytes) -> None:
    # the length keeps ("ab", "c") apart from ("a", "bc")
    state.update(tag + struct.pack("<Q", len(data)) + data)
