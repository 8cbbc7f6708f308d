"""LiveKit's answer to ListEgress, over real HTTP."""

from __future__ import annotations

import json

import pytest
from livekit import api
from livekit.api import TokenVerifier

from scripts.verify import livekit_key
from scripts.verify.hop import Outcome, Result
from tests.unit.verify_support import (
    API_KEY,
    API_SECRET,
    Answer,
    FakeAws,
    Request,
    assert_failed,
    deployment,
    tried,
    web,
)


def livekit(request: Request) -> Answer:
    """Lists one active egress to whoever may record."""
    assert request.path == "/twirp/livekit.Egress/ListEgress"
    claims = TokenVerifier(API_KEY, API_SECRET).verify(request.headers["authorization"].removeprefix("Bearer "))
    assert claims.video is not None
    assert claims.video.room_record
    assert api.ListEgressRequest.FromString(request.body).active
    return 200, {}, api.ListEgressResponse(items=[api.EgressInfo(egress_id="EG_1")]).SerializeToString()


def row(url: str) -> Result:
    return tried(livekit_key.hops(deployment(FakeAws(), livekit_url=url)), "livekit.room_record")


def refusing(status: int, code: str) -> Result:
    body = json.dumps({"code": code, "msg": "no"}).encode()
    with web(lambda _: (status, {"Content-Type": "application/json"}, body)) as url:
        return row(url)


def test_without_livekit_it_is_not_tried() -> None:
    assert row("").outcome is Outcome.SKIPPED


def test_a_key_that_may_record_holds() -> None:
    with web(livekit) as url:
        result = row(url.replace("http", "ws"))
    assert result.outcome is Outcome.OK, result
    assert "1 recording now" in result.seen


@pytest.mark.parametrize(("status", "code"), [(401, "unauthenticated"), (403, "permission_denied")])
def test_a_key_without_the_grant_is_named(status: int, code: str) -> None:
    result = refusing(status, code)
    assert_failed(result, f"ListEgress: {status}")
    assert "roomRecord" in result.cause


def test_livekit_without_egress_is_named() -> None:
    assert "egress service" in refusing(503, "unavailable").cause


def test_an_address_where_nobody_listens_is_named() -> None:
    result = row("ws://127.0.0.1:9")
    assert_failed(result, "did not answer")
    assert "livekitUrl" in result.mend
