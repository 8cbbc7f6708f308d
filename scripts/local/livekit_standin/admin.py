"""What other processes may tell the stand-in over HTTP, under /_standin/ and with the admin token.

GET, DELETE requests · GET, POST, DELETE faults · DELETE faults/N · GET, POST, DELETE webhooks · POST rooms ·
POST, DELETE participants · POST egresses · POST dispatch-rules
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from google.protobuf import json_format
from livekit import api

from . import errors
from .exchange import Answer, Request, json_answer, refused
from .faults import fault_of

if TYPE_CHECKING:
    from .standin import Standin

PREFIX = "_standin"


def administer(standin: Standin, request: Request, admin_token: str) -> Answer:
    """The answer to a request under /_standin/: 401 without the token, 404 for what it has not, 400 with the reason."""
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    if not hmac.compare_digest(given.encode(), admin_token.encode()):
        return json_answer({"error": "the admin token is needed"}, 401)
    name, *rest = request.path.removeprefix(f"/{PREFIX}/").split("/")
    action = _ACTIONS.get((request.method, name))
    if action is None:
        return json_answer({"error": "there is no such thing here"}, 404)
    try:
        return json_answer(action(standin, request, rest))
    except errors.LiveKitRefusal as refusal:
        return refused(refusal)
    except (ValueError, KeyError, TypeError, json_format.ParseError) as error:
        return json_answer({"error": str(error)}, 400)


def _requests(standin: Standin, _: Request, __: list[str]) -> dict[str, Any]:
    return {
        "counts": dict(standin.journal.counts()),
        "requests": [entry.shown() for entry in standin.journal.entries],
    }


def _forget_requests(standin: Standin, _: Request, __: list[str]) -> dict[str, Any]:
    standin.journal.clear()
    return {}


def _faults(standin: Standin, _: Request, __: list[str]) -> dict[str, Any]:
    return {"on": len(standin.faults)}


def _add_fault(standin: Standin, request: Request, _: list[str]) -> dict[str, Any]:
    return {"id": standin.faults.add(fault_of(request.json_object()))}


def _drop_faults(standin: Standin, _: Request, named: list[str]) -> dict[str, Any]:
    if named:
        standin.faults.remove(int(named[0]))
    else:
        standin.faults.clear()
    return {}


def _webhooks(standin: Standin, _: Request, __: list[str]) -> dict[str, Any]:
    return {"urls": [*standin.webhooks.urls], "sent": [asdict(sent) for sent in standin.webhooks.sent]}


def _add_webhook(standin: Standin, request: Request, _: list[str]) -> dict[str, Any]:
    url = str(request.json_object()["url"])
    if url not in standin.webhooks.urls:
        standin.webhooks.urls.append(url)
    return {"urls": [*standin.webhooks.urls]}


def _drop_webhooks(standin: Standin, _: Request, __: list[str]) -> dict[str, Any]:
    standin.webhooks.urls.clear()
    return {}


def _add_room(standin: Standin, request: Request, _: list[str]) -> dict[str, Any]:
    return {"sid": standin.add_room(**request.json_object())}


def _join(standin: Standin, request: Request, _: list[str]) -> dict[str, Any]:
    return {"sid": standin.join(**request.json_object())}


def _leave(standin: Standin, request: Request, _: list[str]) -> dict[str, Any]:
    standin.leave(**request.json_object())
    return {}


def _add_egress(standin: Standin, request: Request, _: list[str]) -> dict[str, Any]:
    given = request.json_object()
    return {"id": standin.add_egress(json.dumps(given["egress"]), dead=bool(given.get("dead")))}


def _add_rule(standin: Standin, request: Request, _: list[str]) -> dict[str, Any]:
    rule = json_format.ParseDict(request.json_object(), api.SIPDispatchRuleInfo())
    return {"id": standin.add_dispatch_rule(rule)}


_ACTIONS: dict[tuple[str, str], Callable[[Standin, Request, list[str]], dict[str, Any]]] = {
    ("GET", "requests"): _requests,
    ("DELETE", "requests"): _forget_requests,
    ("GET", "faults"): _faults,
    ("POST", "faults"): _add_fault,
    ("DELETE", "faults"): _drop_faults,
    ("GET", "webhooks"): _webhooks,
    ("POST", "webhooks"): _add_webhook,
    ("DELETE", "webhooks"): _drop_webhooks,
    ("POST", "rooms"): _add_room,
    ("POST", "participants"): _join,
    ("DELETE", "participants"): _leave,
    ("POST", "egresses"): _add_egress,
    ("POST", "dispatch-rules"): _add_rule,
}
