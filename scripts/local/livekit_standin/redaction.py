"""Requests as LiveKit shows them afterwards: credentials replaced by their names in braces.

Source: livekit/protocol egress/redact.go.
"""

from __future__ import annotations

from typing import Any

from google.protobuf.message import Message
from livekit import api

_SHOWN = {
    "S3Upload": {
        "access_key": "{access_key}",
        "secret": "{secret}",
        "assume_role_external_id": "{external_id}",
        "session_token": "{session_token}",
    },
    "GCPUpload": {"credentials": "{credentials}"},
    "AzureBlobUpload": {"account_name": "{account_name}", "account_key": "{account_key}"},
    "AliOSSUpload": {"access_key": "{access_key}", "secret": "{secret}"},
}


def redacted(request: api.RoomCompositeEgressRequest) -> api.RoomCompositeEgressRequest:
    """A copy without credentials; fields that were empty stay so."""
    copy = api.RoomCompositeEgressRequest()
    copy.CopyFrom(request)
    _redact(copy)
    return copy


def _redact(message: Message) -> None:
    for name, shown in _SHOWN.get(message.DESCRIPTOR.name, {}).items():
        if getattr(message, name):
            setattr(message, name, shown)
    for found, value in message.ListFields():
        if found.message_type is None or found.message_type.GetOptions().map_entry:
            continue
        inner: Any = value
        for child in [inner] if isinstance(inner, Message) else inner:
            _redact(child)
