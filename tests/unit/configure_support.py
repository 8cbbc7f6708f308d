"""What the tests of configure share: a LiveKit over real HTTP, a keeper in memory, and dispatch rules of every make."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import strategies as st
from livekit import api

from infra.functions.egress import EgressOptions, EgressSettings
from scripts.configure import found
from scripts.configure.found import Found
from scripts.configure.sip import Sip
from scripts.livekit_access import LiveKit
from scripts.local.livekit_server import LiveKitServer

SECRET = "s3-secret-that-must-never-be-seen-anywhere"
FOREIGN_SECRET = "another-secret-that-must-never-be-seen"
SETTINGS = EgressSettings(
    bucket="recordings",
    region="us-east-1",
    access_key_id="AKIAUNIT",
    secret_access_key=SECRET,
    options=EgressOptions(webhook_url="https://receive.example/", signing_key="APIunit"),
)
OTHER_SETTINGS = EgressSettings(
    bucket="recordings",
    region="us-east-1",
    access_key_id="AKIAUNIT",
    secret_access_key=SECRET,
    options=EgressOptions(bitrate=64),
)


@contextmanager
def server() -> Generator[LiveKitServer]:
    """LiveKit's stand-in, a hundred times as fast."""
    with LiveKitServer(time_scale=0.01) as running:
        yield running


def access(running: LiveKitServer) -> LiveKit:
    """It as the commands reach it."""
    return LiveKit(url=running.url, key=running.api_key, secret=running.api_secret)


@dataclass
class MemoryKeeper:
    """Keeps what was found as the stack does, through its text. `texts` are all that were written."""

    texts: list[str] = field(default_factory=list[str])

    def load(self) -> dict[str, Found]:
        return found.read(self.texts[-1] if self.texts else "")

    def change(self, changes: Mapping[str, Found | None]) -> None:
        after = {rule: one for rule, one in {**self.load(), **changes}.items() if one is not None}
        self.texts.append(found.written(after))


def sip(running: LiveKitServer, keeper: MemoryKeeper, *chosen: str) -> Sip:
    """The part sip on that server."""
    return Sip(livekit=access(running), keeper=keeper, chosen=chosen)


def rule(name: str, number: int = 1, /, **changes: Any) -> api.SIPDispatchRuleInfo:
    """A rule as people make them; each number takes calls of its own."""
    dispatch = api.SIPDispatchRule(
        dispatch_rule_individual=api.SIPDispatchRuleIndividual(room_prefix="call-", pin=str(number))
    )
    values: dict[str, Any] = {"sip_dispatch_rule_id": f"SDR_{name}", "name": name, "rule": dispatch}
    return api.SIPDispatchRuleInfo(**(values | changes))


def foreign() -> api.RoomEgress:
    """An egress of somebody else's."""
    upload = api.S3Upload(access_key="AKIAOTHER", secret=FOREIGN_SECRET, bucket="their-bucket")
    output = api.EncodedFileOutput(filepath="x/{room_name}.ogg", s3=upload)
    return api.RoomEgress(room=api.RoomCompositeEgressRequest(audio_only=True, file_outputs=[output]))


def stored(running: LiveKitServer, name: str) -> api.SIPDispatchRuleInfo:
    """A rule as LiveKit holds it."""
    [one] = access(running).dispatch_rules([name])
    return one


def octets(message: Message) -> bytes:
    """The message, byte for byte."""
    return message.SerializeToString(deterministic=True)


def messages(kind: type[Message], depth: int = 4) -> st.SearchStrategy[Any]:
    """Messages of a kind with any of their fields set, however deep."""
    return st.builds(lambda values: _made(kind, values), _fields(kind, depth))


def full(kind: type[Message], depth: int = 5) -> Message:
    """A message with every field set, of each choice the last."""
    made = kind()
    fields: Any = kind.DESCRIPTOR.fields
    for one in fields:
        if one.message_type is None:
            _put(made, one, [_example(one)] if one.is_repeated else _example(one))
        elif one.message_type.GetOptions().map_entry:
            _put(made, one, {"a": "1", "b": "2"} if one.message_type.fields[1].message_type is None else {})
        elif depth:
            inner = full(GetMessageClass(one.message_type), depth - 1)
            _put(made, one, [inner] if one.is_repeated else inner)
    return made


def _fields(kind: type[Message], depth: int) -> st.SearchStrategy[dict[str, Any]]:
    values = {one.name: _values(one, depth) for one in kind.DESCRIPTOR.fields}
    return st.fixed_dictionaries({}, optional={name: made for name, made in values.items() if made is not None})


def _values(one: Any, depth: int) -> Any:
    if one.message_type is None:
        made = _SCALARS[one.cpp_type]
    elif one.message_type.GetOptions().map_entry:
        if one.message_type.fields[1].message_type is not None:
            return None
        return st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2)
    elif depth == 0:
        return None
    else:
        made = messages(GetMessageClass(one.message_type), depth - 1)
    return st.lists(made, max_size=2) if one.is_repeated else made


_SCALARS: dict[int, st.SearchStrategy[Any]] = {
    FieldDescriptor.CPPTYPE_INT32: st.integers(0, 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: st.integers(0, 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: st.integers(0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: st.integers(0, 2**64 - 1),
    FieldDescriptor.CPPTYPE_BOOL: st.booleans(),
    FieldDescriptor.CPPTYPE_FLOAT: st.floats(width=32, allow_nan=False),
    FieldDescriptor.CPPTYPE_DOUBLE: st.floats(allow_nan=False),
    FieldDescriptor.CPPTYPE_ENUM: st.integers(0, 3),
    FieldDescriptor.CPPTYPE_STRING: st.text(max_size=5),
}


def _example(one: Any) -> Any:
    return {FieldDescriptor.CPPTYPE_STRING: f"a {one.name}", FieldDescriptor.CPPTYPE_BOOL: True}.get(one.cpp_type, 1)


def _made(kind: type[Message], values: Mapping[str, Any]) -> Message:
    made = kind()
    for one in kind.DESCRIPTOR.fields:
        if one.name in values:
            _put(made, one, values[one.name])
    return made


def _put(made: Message, one: Any, value: Any) -> None:
    held = getattr(made, one.name)
    if one.message_type is not None and one.message_type.GetOptions().map_entry:
        held.update(value)
    elif one.is_repeated and one.message_type is not None:
        for item in value:
            held.add().CopyFrom(item)
    elif one.is_repeated:
        held.extend(value)
    elif one.message_type is not None:
        held.CopyFrom(value)
        held.SetInParent()
    else:
        setattr(made, one.name, value)
