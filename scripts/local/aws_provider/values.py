"""Property values between the engine's protobuf form and plain Python.

Signatures and the unknown marker are the Pulumi SDK's (`pulumi.runtime.rpc`). Secrets arrive unwrapped, because
the provider says that it does not accept them; the engine re-attaches them. Integral numbers become `int`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from google.protobuf import json_format, struct_pb2
from pulumi.runtime import rpc

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
_SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - the SDK's mark of a secret, not one
_ARCHIVE: Final = "0def7320c3a5731c473e5ecbe6d01bc7"
_ASSET: Final = "c44067f5952c0a294b673a41bacd8c17"
_OUTPUT: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that is known only once something else has been created; `UNKNOWN` is its only instance."""


UNKNOWN: Final = Unknown()


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive on disk or of another kind; two are equal when their content's hash is."""

    hash: str
    raw: Mapping[str, Any] = field(compare=False)

    @property
    def path(self) -> str | None:
        """The path of a `FileArchive`; None for any other kind of archive."""
        path = self.raw.get("path")
        return path if isinstance(path, str) and path else None


@dataclass(frozen=True, slots=True)
class Asset:
    """A single file; no supported property takes one."""

    raw: Mapping[str, Any] = field(compare=False)


Value: TypeAlias = "bool | int | float | str | list[Any] | dict[str, Any] | Unknown | Archive | Asset | None"
Props: TypeAlias = dict[str, Any]


def decode(struct: struct_pb2.Struct) -> Props:
    """Returns the properties of a request; absent and null ones are left out."""
    plain = json_format.MessageToDict(struct)
    return {key: value for key, raw in plain.items() if (value := _decode_value(raw)) is not None}


def encode(props: Mapping[str, Any], secrets: Iterable[str] = ()) -> struct_pb2.Struct:
    """Returns `props` as the engine reads them, those named in `secrets` wrapped as secrets."""
    hidden = frozenset(secrets)
    struct = struct_pb2.Struct()
    struct.update(
        {
            key: {SIGNATURE: _SECRET, "value": _encode_value(value)} if key in hidden else _encode_value(value)
            for key, value in props.items()
            if value is not None
        }
    )
    return struct


def holds_unknown(value: Value) -> bool:
    """Whether `value` is, or has anywhere inside it, a value not known yet."""
    if isinstance(value, dict):
        return any(holds_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(holds_unknown(item) for item in value)
    return isinstance(value, Unknown)


def _decode_value(raw: Any) -> Value:
    match raw:
        case {**fields} if SIGNATURE in fields:
            return _decode_special(fields)
        case {**fields}:
            return {key: value for key, item in fields.items() if (value := _decode_value(item)) is not None}
        case [*items]:
            return [_decode_value(item) for item in items]
        case float() if raw.is_integer():
            return int(raw)
        case rpc.UNKNOWN:
            return UNKNOWN
        case _:
            return raw


def _decode_special(fields: dict[str, Any]) -> Value:
    match fields[SIGNATURE]:
        case str(mark) if mark == _SECRET:
            return _decode_value(fields.get("value"))
        case str(mark) if mark == _OUTPUT:
            return _decode_value(fields["value"]) if "value" in fields else UNKNOWN
        case str(mark) if mark == _ARCHIVE:
            return Archive(hash=str(fields.get("hash", "")), raw=fields)
        case _:
            return Asset(raw=fields)


def _encode_value(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _encode_value(item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list):
        return [_encode_value(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, Archive | Asset):
        return dict(value.raw)
    return rpc.UNKNOWN if isinstance(value, Unknown) else value
