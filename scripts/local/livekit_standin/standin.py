"""The stand-in as one object: rooms, egresses, dispatch rules, webhooks, faults and journal; still without sockets."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any, cast

from google.protobuf import json_format
from livekit import api
from livekit.protocol.webhook import WebhookEvent

from . import people
from .access import Grants
from .admin import PREFIX, administer
from .egress_service import EgressService
from .errors import LiveKitRefusal
from .exchange import Answer, Request, refused
from .faults import Fault, Faults, Outcome
from .journal import Entry, Journal
from .pace import Pace
from .recorder import Recorder
from .room_service import RoomService
from .rooms import Rooms
from .service import Conditions, LiveKitApi
from .sip_service import SipService
from .webhooks import Webhooks

HOUSEKEEPING_SECONDS = 0.05


class Standin:
    """A LiveKit with one project. `keys` holds its API keys' secrets; the first signs the project's webhooks."""

    def __init__(
        self,
        *,
        keys: dict[str, str],
        admin_token: str,
        time_scale: float = 1.0,
        ca_bundle: str | None = None,
        now_ns: Callable[[], int] = time.time_ns,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.keys = keys
        self.pace = Pace(time_scale)
        self.faults = Faults()
        self.journal = Journal()
        self.changed = threading.Condition()
        self.webhooks = Webhooks(keys=keys, pace=self.pace, now_ns=now_ns, ca_bundle=ca_bundle)
        self.rooms = Rooms(changed=self.changed, webhooks=self.webhooks, now_ns=now_ns)
        self.recorder = Recorder(
            changed=self.changed,
            rooms=self.rooms,
            webhooks=self.webhooks,
            pace=self.pace,
            now_ns=now_ns,
            ca_bundle=ca_bundle,
        )
        self.egress = EgressService(rooms=self.rooms, recorder=self.recorder, pace=self.pace)
        self.sip = SipService()
        self._now_ns = now_ns
        self._clock = clock
        self._admin_token = admin_token
        self._api = LiveKitApi(
            keys=keys,
            now_ns=now_ns,
            rooms=RoomService(rooms=self.rooms, recorder=self.recorder, pace=self.pace),
            egress=self.egress,
            sip=self.sip,
        )

    def add_room(self, name: str, *, sid: str | None = None, metadata: str = "") -> str:
        """Open a room behind the API's back (its webhook is sent); its sid."""
        room, _ = self.rooms.open(api.CreateRoomRequest(name=name, metadata=metadata), sid=sid)
        return room.info.sid

    def join(
        self,
        room: str,
        identity: str,
        kind: str = "standard",
        *,
        publish: bool = True,
        name: str = "",
        metadata: str = "",
        attributes: dict[str, str] | None = None,
    ) -> str:
        """Let somebody join, as a client would, and by default talk; opens the room when it is not. Their sid.

        `kind`: standard, sip, agent, ingress or egress.
        """
        if kind not in people.KINDS:
            raise ValueError(f"a participant's kind is one of {', '.join(people.KINDS)}, not {kind!r}")
        opened, _ = self.rooms.open(api.CreateRoomRequest(name=room))
        person = people.arrived(identity, kind, self._now_ns(), name=name, metadata=metadata, attributes=attributes)
        self.rooms.join(opened, person, publish=publish)
        return person.sid

    def publish(self, room: str, identity: str) -> None:
        """Let somebody who joined begin to talk; KeyError when they have not."""
        self.rooms.publish(self.rooms.get(room), identity)

    def leave(self, room: str, identity: str) -> None:
        """Let somebody leave."""
        self.rooms.leave(self.rooms.get(room), identity)

    def add_egress(self, egress: api.EgressInfo | bytes | str, *, dead: bool = False) -> str:
        """Put an egress in, from an EgressInfo or the JSON of one, or of a webhook event that holds one; its id.

        One that runs stays so until it is stopped or its room closes; for ever when `dead`. ValueError for JSON without
        an egress.
        """
        info = api.EgressInfo()
        if isinstance(egress, api.EgressInfo):
            info.CopyFrom(egress)
        else:
            info = _egress_of(egress)
        self.recorder.add(info, dead=dead)
        return info.egress_id

    def add_dispatch_rule(self, rule: api.SIPDispatchRuleInfo) -> str:
        """Put a SIP dispatch rule in, as it is; its id."""
        return self.sip.add(rule)

    def settle(self, seconds: float = 60.0) -> None:
        """Wait until no egress is about to change and no webhook is on its way; TimeoutError after real seconds."""
        until = time.monotonic() + seconds
        while self.recorder.busy or not self.webhooks.idle:
            if time.monotonic() > until:
                raise TimeoutError(f"the LiveKit stand-in is still busy after {seconds:g} s")
            time.sleep(0.005)

    def keep_house(self) -> None:
        """Close idle rooms until the stand-in stops."""
        while not self.pace.stopping.wait(HOUSEKEEPING_SECONDS):
            self.rooms.close_idle(self.pace.scale)

    def handle(self, request: Request) -> Answer | None:
        """One request from its arrival to its answer, None for a closed connection; waits out the delay of a fault."""
        if request.path.startswith(f"/{PREFIX}/"):
            return administer(self, request, self._admin_token)
        if request.path == "/":
            return Answer(status=200, content_type="text/plain; charset=utf-8", body=b"OK")
        service, _, method = request.path.rpartition("/")
        fault = self.faults.take(method)
        grants, answer = self._faced(request, fault)
        entry = Entry(
            at=self._clock(),
            service=service.rpartition(".")[2],
            method=method,
            key=grants.key,
            grants=grants.names,
            status=None if answer is None else answer.status,
            code=None if answer is None else answer.code,
            fault=None if fault is None else fault.outcome.value,
        )
        self.journal.add(entry)
        return answer

    def _faced(self, request: Request, fault: Fault | None) -> tuple[Grants, Answer | None]:
        grants, answer = self._answered(request, fault)
        if fault is None:
            return grants, answer
        if fault.delay_seconds:
            self.pace.wait(fault.delay_seconds)
        match fault.outcome:
            case Outcome.STATUS:
                return grants, fault.error()
            case Outcome.CLOSE:
                return grants, None
            case _:
                return grants, answer

    def _answered(self, request: Request, fault: Fault | None) -> tuple[Grants, Answer | None]:
        """The true answer, and the grants it was given on; no answer when a fault keeps the request from effect."""
        grants = Grants()
        outcome = None if fault is None else fault.outcome
        try:
            grants = self._api.grants(request)
            if fault is not None and not fault.carries_out:
                return grants, None
            conditions = Conditions(no_egress=outcome is Outcome.NO_EGRESS, endless=outcome is Outcome.ENDLESS)
            return grants, self._api.answer(request, grants, conditions)
        except LiveKitRefusal as refusal:
            return grants, refused(refusal)


def _egress_of(text: bytes | str) -> api.EgressInfo:
    value: Any = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError("an egress is a JSON object")  # noqa: TRY004 - one kind of error for every wrong text
    fields = cast("dict[str, Any]", value)
    try:
        if "egressInfo" in fields:
            return json_format.ParseDict(fields, WebhookEvent(), ignore_unknown_fields=True).egress_info
        return json_format.ParseDict(fields, api.EgressInfo(), ignore_unknown_fields=True)
    except json_format.ParseError as error:
        raise ValueError(f"this is no egress: {error}") from None
