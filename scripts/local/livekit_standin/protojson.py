"""Messages as JSON in the bytes that livekit-server writes: fields in the .proto file's order, `", "` between them.

The real spacing differs from build to build of Go's protojson; this is that of the captured events.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message


def written(message: Message) -> bytes:
    """The message's JSON as in a webhook: camelCase, 64-bit numbers as text, zero values absent."""
    return _bytes(_ordered(MessageToDict(message), message.DESCRIPTOR, "json_name"))


def written_whole(message: Message) -> bytes:
    """The message's JSON as Twirp answers: the names of the .proto files, zero values and all."""
    value = MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
    return _bytes(_ordered(value, message.DESCRIPTOR, "name"))


def _bytes(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(", ", ":")).encode()


def _ordered(value: Mapping[str, Any], descriptor: Any, naming: str) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for field in descriptor.fields:
        name, inner = getattr(field, naming), field.message_type
        if name not in value:
            continue
        found = value[name]
        if inner is None or inner.GetOptions().map_entry or inner.full_name.startswith("google.protobuf."):
            result[name] = found
        elif isinstance(found, list):
            result[name] = [_ordered(item, inner, naming) for item in cast("list[Any]", found)]
        else:
            result[name] = _ordered(found, inner, naming)
    return result
