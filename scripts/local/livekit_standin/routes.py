"""Twirp: which method a path names, and its message types, from LiveKit's own descriptors.

Source: https://twitchtv.github.io/twirp/docs/spec_v7.html; livekit/protocol livekit/livekit_egress.twirp.go.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from livekit import api

from . import errors
from .exchange import Answer, Request
from .protojson import written_whole

PREFIX = "/twirp/"
_FILES: tuple[Any, ...] = tuple(
    message.DESCRIPTOR.file for message in (api.EgressInfo, api.CreateRoomRequest, api.SIPDispatchRuleInfo)
)
_SERVICES: dict[str, Any] = {
    service.full_name: service for file in _FILES for service in file.services_by_name.values()
}
_JSON, _PROTOBUF = "application/json", "application/protobuf"


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """A method of LiveKit's API, and the class of its request."""

    service: str
    method: str
    request_class: type[Message]


def route_of(request: Request) -> Route:
    """The method that a request names.

    Raises LiveKitRefusal 404: in plain text for a path that no service has, in Twirp's shape for what is wrong after.
    """
    name, _, method = request.path.removeprefix(PREFIX).partition("/")
    service = _SERVICES.get(name) if request.path.startswith(PREFIX) else None
    if service is None:
        raise errors.plain(404, "404 page not found\n")
    if request.method != "POST":
        reason = f'unsupported method "{request.method}" (only POST is allowed)'
        raise errors.bad_route(reason, request.method, request.path)
    found = service.methods_by_name.get(method)
    if found is None:
        raise errors.bad_route(f'no handler for path "{request.path}"', request.method, request.path)
    if request.content_type not in (_JSON, _PROTOBUF):
        given = request.headers.get("content-type", "")
        raise errors.bad_route(f'unexpected Content-Type: "{given}"', request.method, request.path)
    return Route(service=service.name, method=method, request_class=GetMessageClass(found.input_type))


def decoded(request: Request, route: Route) -> Message:
    """The request's message; 400 for a body that is none."""
    message = route.request_class()
    try:
        if request.content_type == _JSON:
            json_format.Parse(request.body, message, ignore_unknown_fields=True)
        else:
            message.ParseFromString(request.body)
    except (json_format.ParseError, DecodeError, UnicodeDecodeError):
        kind = request.content_type.removeprefix("application/")
        raise errors.twirp("malformed", f"the {kind} request could not be decoded") from None
    return message


def answered(request: Request, message: Message) -> Answer:
    """The answer in the content type of the request; LiveKit takes and gives both."""
    if request.content_type == _PROTOBUF:
        return Answer(status=200, content_type=_PROTOBUF, body=message.SerializeToString())
    return Answer(status=200, content_type=_JSON, body=written_whole(message))
