"""Fuzz target: from a message's bytes to a Recording, its place, its words, its link and its cells in Airtable.

An input's first byte chooses where the rest stands, see _FORMS.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from infra.functions.errors import BadEventError, PermanentError
from infra.functions.fields import TEXT_TYPES, Field, convert
from infra.functions.links import Links, file_name
from infra.functions.livekit_webhook import parse_event
from infra.functions.recording import Recording, check_place
from tests.unit.functions_support import LINK_KEY, Clock, captured_names, ended

_INFO = json.dumps({key: value for key, value in ended()["egressInfo"].items() if key not in ("file", "fileResults")})
#: Around the bytes: the whole body; egressInfo; its file; a value of each kind of field that is read.
_FORMS: tuple[tuple[bytes, bytes], ...] = (
    (b"", b""),
    (b'{"event":"egress_ended","egressInfo":', b"}"),
    (b'{"event":"egress_ended","egressInfo":' + _INFO[:-1].encode() + b',"fileResults":[', b"]}}"),
    (
        b'{"event":"egress_ended","egressInfo":'
        + _INFO[:-1].encode()
        + b',"fileResults":[{"filename":"calls/a.mp4","duration":',
        b"}]}}",
    ),
)
_LINKS = Links((LINK_KEY,), Clock())
_TYPES = ("url", "number", "duration", "date", "dateTime", "singleSelect", *sorted(TEXT_TYPES))


def one_input(data: bytes) -> None:
    """Read one message as `deliver` does: nothing but our own errors, and a Recording that holds its promises."""
    if not data:
        return
    before, after = _FORMS[data[0] % len(_FORMS)]
    try:
        event = parse_event(before + data[1:] + after)
        made = Recording.from_payload(event.payload)
        if made is None:
            return
        check_place(made, "recordings", "calls/")
    except (BadEventError, PermanentError) as error:
        refused = str(error)
    else:
        _check(made)
        return
    assert len(refused) < 200, "an error's text grows with the message"


def _check(made: Recording) -> None:
    assert made.egress_id
    for text in (made.egress_id, made.room_id, made.room_name, made.key):
        (text or "").encode()  # what goes to Airtable and S3 is text
    for moment in (made.started_at, made.ended_at):
        assert moment is None or (moment.utcoffset() == timedelta(0) and 2000 <= moment.year < 2200)
    assert made.duration_s is None or 0 < made.duration_s < 7e9  # at most the time from 2000 to 2200
    assert made.size_bytes is None or made.size_bytes > 0
    assert made.key is None or made.key.startswith("calls/")
    assert made.has_file or made.alert
    assert 0 < len(made.status_text) < 100
    assert file_name(made).isascii()
    assert (made.key or "\0") not in repr(made).replace(repr(made.egress_id), "").replace(repr(made.room_id), "")
    values = (made.status_text, made.egress_id, made.room_id, made.duration_s, made.started_at, made.ended_at)
    for kind in _TYPES:
        for value in values:
            if value is not None:
                convert(value, Field(name="f", type=kind, precision=2))
    if made.has_file:
        link = _LINKS.read(_LINKS.issue(made, "v1", lifetime_s=60))
        assert (link.key, link.egress_id, link.room_id) == (made.key, made.egress_id, made.room_id)


def seeds() -> list[bytes]:
    """Every captured body, the parts of the recorded ones, and the traps that are known."""
    made: list[bytes] = []
    for name in captured_names():
        payload: dict[str, Any] = ended(name) if name.startswith("egress") else {"event": "x"}
        info: dict[str, Any] = payload.get("egressInfo", {})
        made += [b"\x00" + json.dumps(payload).encode(), b"\x01" + json.dumps(info).encode()]
        made += [b"\x02" + json.dumps(file).encode() for file in info.get("fileResults", [])]
    info = ended()["egressInfo"]
    for name in ("egressId", "roomId", "roomName", "status", "startedAt", "endedAt", "errorCode", "backupStorageUsed"):
        for value in ("\ud800", "1", 1e300, 5e-324, 10**400, True, [], {}, [{"s3": {"bucket": "recordings"}}]):
            made.append(b"\x01" + json.dumps(info | {name: value}).encode())
    made += [
        b"\x03" + text.encode()
        for text in ("1", "0", "1.5", '"1.5"', "-1", "5e-324", "1e308", '"' + "9" * 20 + '"', "9" * 400, "1e-20")
    ]
    long = {"filename": "calls/a.mp4", "duration": 6 * 10**14}
    years = {"startedAt": 946_684_800, "endedAt": 7_000_000_000, "fileResults": [long]}
    made.append(b"\x01" + json.dumps(info | years).encode())
    made += [b'\x02{"filename":"calls/\\ud800"}', b"\x01" + b"[" * 3000, b'\x02{"filename":"calls/../x"}']
    return made
