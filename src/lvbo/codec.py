# SPDX-License-Identifier: Apache-2.0
"""One way to write any value of Lvbo as plain data, read it back, and name it by its content.

Plain data is what JSON and TOML know: mappings with string keys, lists, strings, numbers, booleans,
None. Dataclasses become mappings by field, enumerations their value (integer ones their name),
dates and instants ISO text, arrays and frames mappings that say their kind. `None` stays, so that
TOML writers must leave such fields out; `from_plain` gives a missing field its default.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime
from enum import Enum, IntEnum
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar, cast

from lvbo.errors import InputError

SCHEMA = 1

T = TypeVar("T")


def to_plain(value: object) -> Any:  # noqa: ANN401  plain data has no narrower type
    """Return a value as plain data.

    Raises:
        InputError: LV305 for a value of a kind that has no plain form.

    """
    if isinstance(value, Enum):
        return value.name.lower() if isinstance(value, IntEnum) else value.value
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Path):
        return value.as_posix()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    return _collection(value)


def from_plain(kind: type[T], data: object, place: str = "") -> T:
    """Return the value of this type that plain data describes.

    `place` names the data in messages, for example a file.

    Raises:
        InputError: LV305 for a wrong kind, LV306 for a missing field, LV307 for an unknown one.

    """
    return cast("T", _read(kind, data, place or kind.__name__))


def to_document(value: object) -> dict[str, Any]:
    """Return a value as plain data under a header with its type and the schema version."""
    return {"lvbo": SCHEMA, "type": type(value).__name__, "value": to_plain(value)}


def from_document(kind: type[T], data: Mapping[str, Any], place: str = "") -> T:
    """Return the value of a document that `to_document` wrote.

    Raises:
        InputError: LV308 where type or version are not ours, else as `from_plain`.

    """
    found = f"{data.get('type')} {data.get('lvbo')}"
    expected = f"{kind.__name__} {SCHEMA}"
    if found != expected:
        raise InputError("LV308", place=place, found=found, expected=expected)
    return from_plain(kind, data.get("value"), place)


def digest(value: object) -> str:
    """Return the SHA-256 of a value's content, as hexadecimal text.

    Equal content gives an equal digest on every machine: canonical JSON, arrays and frames by their
    bytes.
    """
    text = json.dumps(_hashable(value), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(f"{type(value).__name__} {SCHEMA} {text}".encode()).hexdigest()


def _collection(value: object) -> Any:  # noqa: ANN401
    if isinstance(value, Mapping):
        return {str(to_plain(key)): to_plain(item) for key, item in value.items()}
    if isinstance(value, AbstractSet):
        return sorted(to_plain(item) for item in value)
    if _kind(value) == "array":
        array = cast("Any", value)
        return {"array": array.dtype.str, "shape": list(array.shape), "values": array.tolist()}
    if _kind(value) == "frame":
        frame = cast("Any", value)
        columns = {name: to_plain(frame[name].to_list()) for name in frame.columns}
        return {"frame": {n: str(t) for n, t in frame.schema.items()}, "columns": columns}
    if _kind(value) == "number":
        return cast("Any", value).item()
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [to_plain(item) for item in value]
    raise InputError("LV305", place="", found=type(value).__name__, expected="plain data")


def _kind(value: object) -> str:
    """Name arrays, array numbers and frames by their type, without loading their libraries."""
    room, name = type(value).__module__.split(".")[0], type(value).__name__
    if room == "numpy":
        return "array" if name == "ndarray" else "number"
    return "frame" if room == "polars" and name == "DataFrame" else ""


def _hashable(value: object) -> Any:  # noqa: ANN401
    """Return plain data in which arrays and frames stand as the hash of their bytes."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _hashable(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(to_plain(key)): _hashable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_hashable(item) for item in value]
    if _kind(value) == "array":
        return _array_hash(cast("Any", value))
    if _kind(value) == "frame":
        return _frame_hash(cast("Any", value))
    return to_plain(value)


def _array_hash(array: Any) -> list[Any]:  # noqa: ANN401
    if array.dtype.hasobject:
        return ["array", list(array.shape), to_plain(array.tolist())]
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return ["array", little.dtype.str, list(array.shape), _sha(little.tobytes())]


def _frame_hash(frame: Any) -> list[Any]:  # noqa: ANN401
    buffer = BytesIO()
    frame.rechunk().write_ipc(buffer, compression="uncompressed")
    return ["frame", _sha(buffer.getvalue())]


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _read(kind: Any, data: object, place: str) -> object:  # noqa: ANN401
    """Return the value of an annotation; dispatches on what the annotation is."""
    if isinstance(kind, typing.NewType):
        return _read(kind.__supertype__, data, place)
    if kind in {Any, object}:
        return data
    origin = typing.get_origin(kind)
    if origin in {typing.Union, types.UnionType}:
        return _read_union(typing.get_args(kind), data, place)
    if origin is not None:
        return _read_collection(origin, typing.get_args(kind), data, place)
    if dataclasses.is_dataclass(kind):
        return _read_dataclass(kind, data, place)
    return _read_simple(kind, data, place)


def _read_dataclass(kind: Any, data: object, place: str) -> object:  # noqa: ANN401
    if not isinstance(data, Mapping):
        raise _wrong(kind, data, place)
    fields = {f.name: f for f in dataclasses.fields(kind) if f.init}
    for name in data:
        if name not in fields:
            known = ", ".join(sorted(fields))
            raise InputError("LV307", place=place, field=name, known=known)
    hints = _hints(kind)
    values = {}
    for name, field in fields.items():
        has_default = not (
            field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        )
        if name in data:
            values[name] = _read(hints[name], data[name], f"{place}.{name}")
        elif not has_default and _optional(hints[name]):
            values[name] = None
        elif not has_default:
            raise InputError("LV306", place=place, field=name)
    return kind(**values)


@cache
def _hints(kind: Any) -> dict[str, Any]:  # noqa: ANN401
    return typing.get_type_hints(kind)


def _optional(kind: Any) -> bool:  # noqa: ANN401
    return type(None) in typing.get_args(kind)


def _read_union(options: Iterable[Any], data: object, place: str) -> object:
    """Return the value of the first option that fits; the first misfit is told if none does."""
    first: InputError | None = None
    for option in sorted(options, key=lambda o: o is not type(None)):
        try:
            return _read(option, data, place)
        except InputError as error:
            first = error if first is None or option is not type(None) else first
    raise first if first is not None else _wrong("?", data, place)


def _read_collection(origin: Any, inner: tuple[Any, ...], data: object, place: str) -> object:  # noqa: ANN401
    if issubclass(origin, Mapping):
        if not isinstance(data, Mapping):
            raise _wrong("mapping", data, place)
        return {
            _read(inner[0], k, place): _read(inner[1], v, f"{place}.{k}") for k, v in data.items()
        }
    if _is_array(origin):
        return _read_array(data, place)
    if not isinstance(data, Sequence) or isinstance(data, str):
        raise _wrong("list", data, place)
    if origin is tuple and inner[-1] is not Ellipsis:
        if len(data) != len(inner):
            raise _wrong(origin[inner], data, place)
        pairs = zip(inner, data, strict=True)
        return tuple(_read(kind, x, f"{place}[{i}]") for i, (kind, x) in enumerate(pairs))
    make: Callable[[Iterable[object]], object] = (
        origin if origin in {list, set, frozenset} else tuple
    )
    return make(_read(inner[0], x, f"{place}[{i}]") for i, x in enumerate(data))


def _read_simple(kind: Any, data: object, place: str) -> object:  # noqa: ANN401
    if _is_array(kind):
        return _read_array(data, place)
    if getattr(kind, "__name__", "") == "DataFrame":
        return _read_frame(data, place)
    if kind is float and isinstance(data, int) and not isinstance(data, bool):
        return float(data)
    if kind is type(None) and data is None:
        return None
    try:
        found = _parsers().get(kind, _enum_or_same)(kind, data)
    except (KeyError, TypeError, ValueError):
        raise _wrong(kind, data, place) from None
    if not isinstance(found, kind) or isinstance(found, bool) != (kind is bool):
        raise _wrong(kind, data, place)
    return cast("object", found)


def _parsers() -> dict[Any, Callable[[Any, Any], object]]:
    return {
        date: lambda _, text: text if isinstance(text, date) else date.fromisoformat(text),
        datetime: lambda _, at: at if isinstance(at, datetime) else datetime.fromisoformat(at),
        Path: lambda _, text: Path(text),
    }


def _enum_or_same(kind: Any, data: Any) -> object:  # noqa: ANN401
    if isinstance(kind, type) and issubclass(kind, IntEnum):
        return kind[data.upper()]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(data)
    return cast("object", data)


def _is_array(kind: Any) -> bool:  # noqa: ANN401
    return getattr(kind, "__module__", "") == "numpy" and kind.__name__ == "ndarray"


def _read_array(data: object, place: str) -> object:
    if not isinstance(data, Mapping) or "array" not in data:
        raise _wrong("array", data, place)
    import numpy as np

    array = np.array(data["values"], dtype=np.dtype(data["array"])).reshape(data["shape"])
    array.flags.writeable = False
    return array


def _read_frame(data: object, place: str) -> object:
    if not isinstance(data, Mapping) or "frame" not in data:
        raise _wrong("frame", data, place)
    import polars as pl

    return pl.DataFrame(
        [_read_column(pl, n, t, data["columns"][n]) for n, t in data["frame"].items()]
    )


def _read_column(pl: Any, name: str, kind: str, values: Sequence[Any]) -> Any:  # noqa: ANN401
    """Return a column from its values and the type that its schema printed."""
    plain = kind.partition("(")[0]
    if plain == "Datetime":
        zone = kind.rpartition("time_zone=")[-1].rstrip(")").strip("'")
        instants = [None if v is None else datetime.fromisoformat(v) for v in values]
        return pl.Series(name, instants, pl.Datetime("us", None if zone == "None" else zone))
    if plain == "Date":
        days = [None if v is None else date.fromisoformat(v) for v in values]
        return pl.Series(name, days, pl.Date)
    return pl.Series(name, values, getattr(pl, plain))


def _wrong(kind: Any, data: object, place: str) -> InputError:  # noqa: ANN401
    expected = getattr(kind, "__name__", str(kind))
    return InputError("LV305", place=place, found=repr(data)[:60], expected=expected)
