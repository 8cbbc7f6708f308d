"""Egress requests without their credentials: for comparing, describing and printing (pure).

LiveKit shows credentials by their names in braces once a request is running; a listing may do so too. The same names
stand here, so that a request can be compared with what LiveKit shows of it.
Source: livekit/protocol egress/redact.go.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator
from typing import Any, cast

from google.protobuf.message import Message
from livekit import api

_SHOWN = {
    "S3Upload": {
        "access_key": "{access_key}",
        "secret": "{secret}",
        "session_token": "{session_token}",
        "assume_role_external_id": "{external_id}",
    },
    "GCPUpload": {"credentials": "{credentials}"},
    "AzureBlobUpload": {"account_name": "{account_name}", "account_key": "{account_key}"},
    "AliOSSUpload": {"access_key": "{access_key}", "secret": "{secret}"},
}


def redacted(egress: api.RoomEgress) -> api.RoomEgress:
    """A copy without credentials; fields that were empty stay so."""
    copy = api.RoomEgress()
    copy.CopyFrom(egress)
    for message, names in _credentials(copy):
        for name, shown in names.items():
            if getattr(message, name):
                setattr(message, name, shown)
    return copy


def hidden(egress: api.RoomEgress) -> bool:
    """Whether LiveKit showed it without its credentials: then what is stored there cannot be told."""
    return any(
        getattr(message, name) == shown for message, names in _credentials(egress) for name, shown in names.items()
    )


def fingerprint(egress: api.RoomEgress) -> str:
    """The same for the same request with whatever credentials."""
    return hashlib.sha256(redacted(egress).SerializeToString(deterministic=True)).hexdigest()


def uploads(message: Message) -> Generator[Message]:
    """Every message within that says where files go."""
    if message.DESCRIPTOR.name in _SHOWN:
        yield message
        return
    for found, value in message.ListFields():
        if found.message_type is None or found.message_type.GetOptions().map_entry:
            continue
        inner: Any = value
        for child in [inner] if isinstance(inner, Message) else inner:
            yield from uploads(cast("Message", child))


def _credentials(egress: api.RoomEgress) -> Generator[tuple[Message, dict[str, str]]]:
    for upload in uploads(egress):
        yield upload, _SHOWN[upload.DESCRIPTOR.name]
