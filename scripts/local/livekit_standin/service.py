"""LiveKit's server API: a request in, an answer out, no sockets.

The order of checks is the real one's: token (401), path (404), body (400), grant (401, after the body was read), and
then the request itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message

from . import errors
from .access import Grants, grants_of
from .egress_service import EgressService
from .exchange import Answer, Request
from .room_service import RoomService
from .routes import answered, decoded, route_of
from .sip_service import SipService


@dataclass(frozen=True, kw_only=True, slots=True)
class Conditions:
    """What is wrong with the egress service meanwhile: there is none, or what it starts never ends."""

    no_egress: bool = False
    endless: bool = False


Handler = Callable[[Any, Grants, Conditions], Message]


class LiveKitApi:
    """The stand-in's methods by name."""

    def __init__(
        self,
        *,
        keys: Mapping[str, str],
        now_ns: Callable[[], int],
        rooms: RoomService,
        egress: EgressService,
        sip: SipService,
    ) -> None:
        self._keys = keys
        self._now_ns = now_ns
        self._handlers: dict[str, Handler] = {
            "RoomService/CreateRoom": lambda wanted, grants, now: rooms.create(
                wanted, grants, no_egress=now.no_egress, endless=now.endless
            ),
            "RoomService/ListRooms": _plain(rooms.list),
            "RoomService/DeleteRoom": _plain(rooms.delete),
            "RoomService/ListParticipants": _plain(rooms.participants),
            "RoomService/UpdateRoomMetadata": _plain(rooms.update_metadata),
            "Egress/ListEgress": _plain(egress.list),
            "Egress/StartRoomCompositeEgress": lambda wanted, grants, now: egress.start(
                wanted, grants, no_egress=now.no_egress, endless=now.endless
            ),
            "Egress/StopEgress": _plain(egress.stop),
            "SIP/ListSIPDispatchRule": _plain(sip.list),
            "SIP/CreateSIPDispatchRule": _plain(sip.create),
            "SIP/UpdateSIPDispatchRule": _plain(sip.update),
            "SIP/DeleteSIPDispatchRule": _plain(sip.delete),
        }

    def grants(self, request: Request) -> Grants:
        """What the request's token allows.

        Raises LiveKitRefusal 401 for a token that is no good.
        """
        given = request.headers.get("authorization", "")
        return grants_of(given, request.query_token, self._keys, self._now_ns() / 1e9)

    def answer(self, request: Request, grants: Grants, conditions: Conditions) -> Answer:
        """The answer to a request.

        Raises LiveKitRefusal; 501 for what LiveKit has and the stand-in has not.
        """
        route = route_of(request)
        message = decoded(request, route)
        handler = self._handlers.get(f"{route.service}/{route.method}")
        if handler is None:
            raise errors.twirp("unimplemented", "the LiveKit stand-in does not have this method")
        return answered(request, handler(message, grants, conditions))


def _plain(method: Callable[[Any, Grants], Message]) -> Handler:
    return lambda wanted, grants, _: method(wanted, grants)
