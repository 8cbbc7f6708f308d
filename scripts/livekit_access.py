"""LiveKit's server API as the stack's configuration names it; everything that can go wrong there, in words.

LiveKit answers 401 to a good token that lacks a grant (in Twirp's JSON) as well as to a key or secret that it does not
know (in plain text). Cloud may answer 403. Measured with livekit-server 1.13.11.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Self, TypeVar

import aiohttp
from google.protobuf.message import DecodeError
from livekit import api

from scripts.errors import StackError

Answer = TypeVar("Answer")

PATIENCE = 15.0
# LiveKit itself gives up an egress that nobody takes after 10 s (CreateRoom) or 22 s (StartRoomCompositeEgress).
START_PATIENCE = 30.0
# LiveKit Cloud lists by pages.
MOST_PAGES = 50
PAGE = 100
# Our own code for a LiveKit that runs without SIP.
NO_SIP = "no_sip"


class LiveKitError(StackError):
    """LiveKit did not do what was asked: what was seen, the likely cause, and the command that mends it.

    `code` is Twirp's word, NO_SIP, or the kind of failure on the way; LiveKit's own text stays out, it may quote names.
    `access`: no other request of this key would fare better.
    """

    def __init__(self, seen: str, *, code: str, cause: str, mend: str, access: bool) -> None:
        super().__init__(f"{seen}: {cause}. Try: {mend}")
        self.seen, self.code, self.cause, self.mend, self.access = seen, code, cause, mend, access


@dataclass(frozen=True, kw_only=True, slots=True)
class Method:
    """A method of LiveKit's API, and the grant that it takes."""

    name: str
    grant: str
    patience: float = PATIENCE


LIST_EGRESS = Method(name="ListEgress", grant="roomRecord")
STOP_EGRESS = Method(name="StopEgress", grant="roomRecord")
LIST_ROOMS = Method(name="ListRooms", grant="roomList")
CREATE_ROOM = Method(name="CreateRoom", grant="roomCreate", patience=START_PATIENCE)
DELETE_ROOM = Method(name="DeleteRoom", grant="roomCreate")
LIST_RULES = Method(name="ListSIPDispatchRule", grant="sip.admin")
UPDATE_RULE = Method(name="UpdateSIPDispatchRule", grant="sip.admin")


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveKit:
    """One project of LiveKit Cloud, or one server."""

    url: str
    key: str
    secret: str = field(repr=False)

    @classmethod
    def of(cls, config: Mapping[str, str]) -> Self | None:
        """None when the stack knows no LiveKit. `config` is the stack's, secrets in clear."""
        if not config.get("livekitUrl"):
            return None
        return cls(
            url=config["livekitUrl"], key=config.get("livekitApiKey", ""), secret=config.get("livekitApiSecret", "")
        )

    @classmethod
    def required(cls, stack: str, config: Mapping[str, str]) -> Self:
        """As `of`; raises StackError when the stack knows no LiveKit."""
        found = cls.of(config)
        if found is None:
            raise StackError(
                f"stack {stack} does not know your LiveKit. "
                f"Set it: pulumi config set livekitUrl wss://YOUR-PROJECT.livekit.cloud --stack {stack}"
            )
        return found

    @property
    def is_cloud(self) -> bool:
        """Whether this is a project of LiveKit Cloud."""
        return self.url.partition("://")[2].partition("/")[0].endswith(".livekit.cloud")

    def ask(self, method: Method, task: Callable[[api.LiveKitAPI], Awaitable[Answer]]) -> Answer:
        """Do `task`, which calls `method` once, with a client of its own; never within a running event loop.

        Raises LiveKitError.
        """
        try:
            return asyncio.run(self._ask(method, task))
        except (api.ServerError, aiohttp.ClientError, TimeoutError, ValueError, DecodeError) as error:
            raise explained(error, method) from None

    async def _ask(self, method: Method, task: Callable[[api.LiveKitAPI], Awaitable[Answer]]) -> Answer:
        # Not the client's own `timeout`: livekit-api 1.2.2 gives aiohttp None with each request, which means never.
        async with (
            asyncio.timeout(method.patience),
            api.LiveKitAPI(self.url, self.key, self.secret, failover=False) as client,
        ):
            return await task(client)

    def egresses(self, room_name: str = "", *, active: bool, pages: int = MOST_PAGES) -> list[api.EgressInfo]:
        """The egresses of a room's name or of all rooms, those that are over too unless `active`.

        At most `pages` pages of them. A server of your own keeps ended ones for 24 hours. Raises LiveKitError.
        """

        request = api.ListEgressRequest(room_name=room_name, active=active)
        found: list[api.EgressInfo] = []
        for _ in range(pages):
            answer = self.ask(LIST_EGRESS, lambda client: client.egress.list_egress(request))
            found += answer.items
            if not answer.next_page_token.token:
                break
            request.page_token.CopyFrom(answer.next_page_token)
        return found

    def room(self, name: str) -> api.Room | None:
        """The open room of that name. Raises LiveKitError."""
        answer = self.ask(LIST_ROOMS, lambda client: client.room.list_rooms(api.ListRoomsRequest(names=[name])))
        return next((room for room in answer.rooms if room.name == name), None)

    def dispatch_rules(self, ids: list[str] | None = None) -> list[api.SIPDispatchRuleInfo]:
        """The SIP dispatch rules, all or those of the ids, as they are stored. Raises LiveKitError.

        A server that knows no pages answers with all rules, however often it is asked.
        """

        found: dict[str, api.SIPDispatchRuleInfo] = {}
        request = api.ListSIPDispatchRuleRequest(dispatch_rule_ids=ids or [])
        request.page.limit = PAGE
        for _ in range(MOST_PAGES):
            answer = self.ask(LIST_RULES, lambda client: client.sip.list_dispatch_rule(request))
            fresh = [rule for rule in answer.items if rule.sip_dispatch_rule_id not in found]
            found |= {rule.sip_dispatch_rule_id: rule for rule in fresh}
            if len(answer.items) < PAGE or not fresh:
                break
            request.page.after_id = answer.items[-1].sip_dispatch_rule_id
        return list(found.values())


def explained(error: Exception, method: Method) -> LiveKitError:
    """An error of the client's, in words."""
    if isinstance(error, api.ServerError):
        seen = f"{method.name}: {error.status}" + (f" {error.code}" if error.code != "unknown" else "")
        cause, mend = _refused(error, method)
        access = error.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
        code = NO_SIP if _without_sip(error) else error.code
        return LiveKitError(seen, code=code, cause=cause, mend=mend, access=access)
    kind = type(error).__name__
    if isinstance(error, TimeoutError):
        seen = f"{method.name}: LiveKit did not answer within {method.patience:.0f} s ({kind})"
        cause = "it is overloaded, or something on the way swallows the request"
        return LiveKitError(seen, code=kind, cause=cause, mend="the same command again", access=True)
    seen = f"{method.name}: LiveKit did not answer ({kind})"
    cause = "livekitUrl is wrong, or LiveKit is not reachable from here"
    return LiveKitError(seen, code=kind, cause=cause, mend="pulumi config set livekitUrl wss://…", access=True)


def _refused(error: api.ServerError, method: Method) -> tuple[str, str]:
    """The likely cause, and what to do."""
    status, code = error.status, error.code
    unknown = "LiveKit does not know the key, or its secret is another"
    secret, address = "pulumi config set --secret livekitApiSecret", "pulumi config set livekitUrl wss://…"
    access = status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
    starts = method.grant == "roomRecord" or method is CREATE_ROOM
    without_egress = "egress not connected" in error.message or (starts and status == HTTPStatus.SERVICE_UNAVAILABLE)
    causes = [
        # Plain text, which the client takes for `unknown`: the token itself was refused.
        (access and code == "unknown", f"{unknown}, or this machine's clock is wrong", secret),
        (access, f"{unknown}, or the key lacks {method.grant}", secret),
        (_without_sip(error), "LiveKit runs without SIP, which needs Redis", "callrec configure rooms webhook"),
        (
            "already exists in dispatch rule" in error.message,
            "this rule and another one take the same calls, which LiveKit refuses",
            "lk sip dispatch list",
        ),
        (without_egress, "LiveKit runs without its egress service, or is out of order", "callrec verify"),
        (
            status == HTTPStatus.TOO_MANY_REQUESTS,
            "LiveKit asks to wait, or a limit of your plan is reached",
            "the same command in a minute",
        ),
        (
            status == HTTPStatus.NOT_FOUND and code in ("unknown", "bad_route"),
            "livekitUrl leads to something that is not LiveKit",
            address,
        ),
        (
            status < HTTPStatus.INTERNAL_SERVER_ERROR,
            "LiveKit does not take this request; its own log says why",
            "callrec verify",
        ),
    ]
    otherwise = ("LiveKit is out of order", "callrec verify")
    return next(((cause, mend) for holds, cause, mend in causes if holds), otherwise)


def _without_sip(error: api.ServerError) -> bool:
    return "sip not connected" in error.message
