"""What other processes may tell the LiveKit stand-in over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from livekit import api

from scripts.local.livekit_server import LiveKitServer
from tests.unit.livekit_support import EVENTS, SCALE, ask, listed, receiving, refusal


@pytest.fixture
def livekit() -> Iterator[LiveKitServer]:
    with LiveKitServer(time_scale=SCALE) as server:
        yield server


def tell(
    livekit: LiveKitServer, verb: str, path: str, body: Any = None, *, token: str | None = None
) -> requests.Response:
    return requests.request(
        verb,
        f"{livekit.url}/_standin/{path}",
        json=body,
        headers={"Authorization": f"Bearer {livekit.admin_token if token is None else token}"},
        timeout=60,
    )


def told(livekit: LiveKitServer, verb: str, path: str, body: Any = None) -> dict[str, Any]:
    answer = tell(livekit, verb, path, body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def list_rooms(client: api.LiveKitAPI) -> Any:
    return await client.room.list_rooms(api.ListRoomsRequest())


@pytest.mark.parametrize("token", ["", "wrong", "ü"])
def test_it_takes_the_admin_token(livekit: LiveKitServer, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}".encode()}
    answer = requests.get(f"{livekit.url}/_standin/requests", headers=headers, timeout=60)
    assert answer.status_code == 401
    assert tell(livekit, "GET", "requests", token=livekit.api_secret).status_code == 401


def test_requests_are_shown_and_forgotten(livekit: LiveKitServer) -> None:
    ask(livekit, list_rooms)
    listed(livekit)
    shown = told(livekit, "GET", "requests")
    assert shown["counts"] == {"ListRooms": 1, "ListEgress": 1}
    assert [entry["grants"][-1] for entry in shown["requests"]] == ["roomList", "roomRecord"]
    assert livekit.api_secret not in json.dumps(shown)
    told(livekit, "DELETE", "requests")
    assert told(livekit, "GET", "requests")["requests"] == []


def test_faults_are_switched_on_and_off(livekit: LiveKitServer) -> None:
    number = told(livekit, "POST", "faults", {"outcome": "status", "status": 403, "times": None})["id"]
    assert refusal(livekit, list_rooms).status == 403
    assert told(livekit, "GET", "faults") == {"on": 1}
    told(livekit, "DELETE", f"faults/{number}")
    ask(livekit, list_rooms)
    told(livekit, "POST", "faults", {"outcome": "close", "times": None})
    told(livekit, "DELETE", "faults")
    ask(livekit, list_rooms)


def test_webhooks_are_entered_once_and_removed(livekit: LiveKitServer) -> None:
    with receiving() as receiver:
        for _ in range(2):
            assert told(livekit, "POST", "webhooks", {"url": receiver.url}) == {"urls": [receiver.url]}
        told(livekit, "POST", "rooms", {"name": "camille", "metadata": "m"})
        livekit.settle()
        assert receiver.names() == ["room_started"]
        [sent] = told(livekit, "GET", "webhooks")["sent"]
        assert (sent["event"], sent["tries"]) == ("room_started", [200])
        told(livekit, "DELETE", "webhooks")
        told(livekit, "POST", "rooms", {"name": "other"})
        livekit.settle()
        assert len(receiver.requests) == 1


def test_callers_come_and_go(livekit: LiveKitServer) -> None:
    sid = told(livekit, "POST", "participants", {"room": "camille", "identity": "+4930", "kind": "sip"})["sid"]
    assert sid.startswith("PA_")
    question = api.ListParticipantsRequest(room="camille")
    [person] = ask(livekit, lambda client: client.room.list_participants(question)).participants
    assert (person.sid, person.identity) == (sid, "+4930")
    told(livekit, "DELETE", "participants", {"room": "camille", "identity": "+4930"})
    assert not ask(livekit, lambda client: client.room.list_participants(question)).participants
    assert tell(livekit, "DELETE", "participants", {"room": "nowhere", "identity": "x"}).status_code == 404


def test_egresses_and_rules_are_planted(livekit: LiveKitServer) -> None:
    event = json.loads((EVENTS / "egress_updated.active.json").read_text())
    egress_id = told(livekit, "POST", "egresses", {"egress": event, "dead": True})["id"]
    assert [info.egress_id for info in listed(livekit, active=True)] == [egress_id]
    stop = api.StopEgressRequest(egress_id=egress_id)
    assert refusal(livekit, lambda client: client.egress.stop_egress(stop)).code == "deadline_exceeded"
    rule = {"name": "r", "rule": {"dispatchRuleIndividual": {"roomPrefix": "x-"}}}
    rule_id = told(livekit, "POST", "dispatch-rules", rule)["id"]
    rules = ask(livekit, lambda client: client.sip.list_dispatch_rule(api.ListSIPDispatchRuleRequest())).items
    assert [(found.sip_dispatch_rule_id, found.name) for found in rules] == [(rule_id, "r")]


@pytest.mark.parametrize(
    ("verb", "path", "body", "status"),
    [
        ("GET", "nothing", None, 404),
        ("PUT", "faults", None, 404),
        ("POST", "faults", {"outcome": "explode"}, 400),
        ("POST", "faults", [1], 400),
        ("DELETE", "faults/x", None, 400),
        ("POST", "webhooks", {}, 400),
        ("POST", "rooms", {"colour": "red"}, 400),
        ("POST", "participants", {"room": "r", "identity": "i", "kind": "ghost"}, 400),
        ("POST", "egresses", {"egress": []}, 400),
        ("POST", "dispatch-rules", {"colour": "red"}, 400),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_reason(
    livekit: LiveKitServer, verb: str, path: str, body: Any, status: int
) -> None:
    answer = tell(livekit, verb, path, body)
    assert answer.status_code == status
    assert answer.json()["error"]
    assert livekit.journal.count() == 0
