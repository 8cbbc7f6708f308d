"""SIP dispatch rules of the LiveKit stand-in, through LiveKit's own client."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from livekit import api
from livekit.protocol.models import Pagination

from scripts.local.livekit_server import LiveKitServer
from tests.unit.livekit_support import SCALE, ask, refusal, room_egress


@pytest.fixture
def livekit() -> Iterator[LiveKitServer]:
    with LiveKitServer(time_scale=SCALE) as server:
        yield server


def individual(prefix: str, pin: str = "") -> api.SIPDispatchRule:
    return api.SIPDispatchRule(dispatch_rule_individual=api.SIPDispatchRuleIndividual(room_prefix=prefix, pin=pin))


def whole_rule(**changes: Any) -> api.SIPDispatchRuleInfo:
    """A rule with every field set."""
    values: dict[str, Any] = {
        "rule": individual("call-", "1234"),
        "trunk_ids": ["ST_1", "ST_2"],
        "hide_phone_number": True,
        "inbound_numbers": ["+4930111"],
        "numbers": ["+49 (30) 222"],
        "name": "front desk",
        "metadata": "meta",
        "attributes": {"a": "1", "b": "2"},
        "room_preset": "",
        "krisp_enabled": True,
        "media_encryption": api.SIPMediaEncryption.SIP_MEDIA_ENCRYPT_ALLOW,
        "room_config": api.RoomConfiguration(
            empty_timeout=10, metadata="room", agents=[api.RoomAgentDispatch(agent_name="scheduler", metadata="x")]
        ),
    }
    rule = api.SIPDispatchRuleInfo(**(values | changes))
    rule.media.encryption = api.SIPMediaEncryption.SIP_MEDIA_ENCRYPT_ALLOW
    return rule


def create(livekit: LiveKitServer, rule: api.SIPDispatchRuleInfo) -> api.SIPDispatchRuleInfo:
    request = api.CreateSIPDispatchRuleRequest(dispatch_rule=rule)
    return ask(livekit, lambda client: client.sip.create_dispatch_rule(request))


def rules(livekit: LiveKitServer, **filters: Any) -> list[api.SIPDispatchRuleInfo]:
    request = api.ListSIPDispatchRuleRequest(**filters)
    return list(ask(livekit, lambda client: client.sip.list_dispatch_rule(request)).items)


def test_a_rule_with_every_field_comes_back_as_it_was_made(livekit: LiveKitServer) -> None:
    rule = whole_rule()
    made = create(livekit, rule)
    assert made.sip_dispatch_rule_id.startswith("SDR_")
    assert rules(livekit) == [made]
    rule.sip_dispatch_rule_id = made.sip_dispatch_rule_id
    assert made.SerializeToString(deterministic=True) == rule.SerializeToString(deterministic=True)


def test_the_older_fields_make_a_rule_too(livekit: LiveKitServer) -> None:
    request = api.CreateSIPDispatchRuleRequest(rule=individual("x-"), name="old", trunk_ids=["ST_9"], metadata="m")
    made = ask(livekit, lambda client: client.sip.create_dispatch_rule(request))
    assert (made.name, list(made.trunk_ids), made.metadata) == ("old", ["ST_9"], "m")
    assert not made.HasField("media")


def test_a_whole_rule_is_replaced_with_its_room_config(livekit: LiveKitServer) -> None:
    made = create(livekit, whole_rule())
    changed = api.SIPDispatchRuleInfo()
    changed.CopyFrom(made)
    changed.room_config.egress.room.CopyFrom(room_egress())
    answer = ask(livekit, lambda client: client.sip.update_dispatch_rule(made.sip_dispatch_rule_id, changed))
    assert answer == changed
    assert rules(livekit) == [changed]
    [kept] = rules(livekit)
    kept.room_config.ClearField("egress")
    assert kept == made


def test_fields_are_changed_one_by_one_and_room_config_is_none_of_them(livekit: LiveKitServer) -> None:
    made = create(livekit, whole_rule())
    changed = ask(
        livekit,
        lambda client: client.sip.update_dispatch_rule_fields(
            made.sip_dispatch_rule_id, name="new", metadata="", trunk_ids=["ST_3"], attributes={"a": "", "c": "3"}
        ),
    )
    assert (changed.name, changed.metadata, list(changed.trunk_ids)) == ("new", "", ["ST_3"])
    assert dict(changed.attributes) == {"b": "2", "c": "3"}
    expected = whole_rule(name="new", metadata="", trunk_ids=["ST_3"], attributes={"b": "2", "c": "3"})
    expected.sip_dispatch_rule_id = made.sip_dispatch_rule_id
    assert changed == expected
    assert rules(livekit) == [changed]
    assert "room_config" not in api.SIPDispatchRuleUpdate.DESCRIPTOR.fields_by_name


def test_a_change_of_fields_brings_the_newer_media_message(livekit: LiveKitServer) -> None:
    allow = api.SIPMediaEncryption.SIP_MEDIA_ENCRYPT_ALLOW
    for encryption in (None, allow):
        rule_id = livekit.add_dispatch_rule(
            api.SIPDispatchRuleInfo(rule=individual(f"x{encryption}-", f"{encryption}"), media_encryption=encryption)
        )
        changed = ask(livekit, lambda client, what=rule_id: client.sip.update_dispatch_rule_fields(what, name="new"))
        assert changed.HasField("media")
        assert (changed.media.encryption, changed.media_encryption) == (encryption or 0, encryption or 0)


@pytest.mark.parametrize(
    ("change", "after"),
    [
        (api.ListUpdate(add=["ST_3", "ST_1"]), ["ST_1", "ST_2", "ST_3"]),
        (api.ListUpdate(remove=["ST_1"], add=["ST_4"]), ["ST_2", "ST_4"]),
        (api.ListUpdate(set=["ST_5"]), ["ST_5"]),
        (api.ListUpdate(clear=True), []),
    ],
)
def test_a_list_is_changed_as_asked(livekit: LiveKitServer, change: api.ListUpdate, after: list[str]) -> None:
    made = create(livekit, whole_rule())
    assert list(_trunks(livekit, made, change).trunk_ids) == after


def raw(livekit: LiveKitServer, method: str, request: Any) -> api.SIPDispatchRuleInfo:
    """Send a message as it is: the client's own method would leave out `clear`, and checks some by itself."""

    async def sent(client: api.LiveKitAPI) -> api.SIPDispatchRuleInfo:
        sip: Any = client.sip
        return await sip._client.request("SIP", method, request, sip._admin_headers(), api.SIPDispatchRuleInfo)

    return ask(livekit, sent)


def _trunks(livekit: LiveKitServer, rule: api.SIPDispatchRuleInfo, change: api.ListUpdate) -> api.SIPDispatchRuleInfo:
    request = api.UpdateSIPDispatchRuleRequest(sip_dispatch_rule_id=rule.sip_dispatch_rule_id)
    request.update.trunk_ids.CopyFrom(change)
    return raw(livekit, "UpdateSIPDispatchRule", request)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (api.ListUpdate(), "unsupported list update"),
        (api.ListUpdate(clear=True, add=["x"]), "cannot clear and change"),
        (api.ListUpdate(set=["x"], add=["y"]), "cannot set and change"),
        (api.ListUpdate(add=[""]), "empty element"),
    ],
)
def test_a_change_of_a_list_that_makes_no_sense(livekit: LiveKitServer, change: api.ListUpdate, says: str) -> None:
    made = create(livekit, whole_rule())
    with pytest.raises(api.ServerError, match=says):
        _trunks(livekit, made, change)
    assert rules(livekit) == [made]


def test_two_rules_for_the_same_calls_collide(livekit: LiveKitServer) -> None:
    made = create(livekit, whole_rule())
    second = api.CreateSIPDispatchRuleRequest(dispatch_rule=whole_rule(numbers=["+4930222"], name="twin"))
    error = refusal(livekit, lambda client: client.sip.create_dispatch_rule(second))
    assert (error.status, error.code) == (400, "invalid_argument")
    assert f'already exists in dispatch rule "{made.sip_dispatch_rule_id}" "front desk"' in error.message
    other = create(livekit, whole_rule(rule=individual("call-", "9999"), name="other pin"))
    assert len(rules(livekit)) == 2
    twin = whole_rule()
    error = refusal(livekit, lambda client: client.sip.update_dispatch_rule(other.sip_dispatch_rule_id, twin))
    assert error.code == "invalid_argument"
    create(livekit, whole_rule(trunk_ids=[], name="for every trunk"))


def test_listing_takes_ids_trunks_and_pages(livekit: LiveKitServer) -> None:
    first = create(livekit, whole_rule(trunk_ids=["ST_1"]))
    second = create(livekit, whole_rule(trunk_ids=["ST_2"]))
    anywhere = create(livekit, whole_rule(trunk_ids=[]))
    everything = sorted([first, second, anywhere], key=lambda rule: rule.sip_dispatch_rule_id)
    assert rules(livekit) == everything
    assert rules(livekit, dispatch_rule_ids=[second.sip_dispatch_rule_id]) == [second]
    assert rules(livekit, trunk_ids=["ST_2"]) == [rule for rule in everything if rule != first]
    assert rules(livekit, page=Pagination(limit=2)) == everything[:2]
    assert rules(livekit, page=Pagination(after_id=everything[1].sip_dispatch_rule_id)) == everything[2:]


def test_a_deleted_rule_is_gone(livekit: LiveKitServer) -> None:
    made = create(livekit, whole_rule())
    wish = api.DeleteSIPDispatchRuleRequest(sip_dispatch_rule_id=made.sip_dispatch_rule_id)
    assert ask(livekit, lambda client: client.sip.delete_dispatch_rule(wish)) == made
    assert rules(livekit) == []
    assert refusal(livekit, lambda client: client.sip.delete_dispatch_rule(wish)).code == "not_found"
    error = refusal(livekit, lambda client: client.sip.update_dispatch_rule(made.sip_dispatch_rule_id, made))
    assert error.code == "not_found"


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (api.CreateSIPDispatchRuleRequest(), "missing rule"),
        (api.CreateSIPDispatchRuleRequest(rule=api.SIPDispatchRule()), "unsupported SIP Dispatch Rule"),
        (api.CreateSIPDispatchRuleRequest(dispatch_rule=whole_rule(sip_dispatch_rule_id="SDR_x")), "must not be set"),
        (api.UpdateSIPDispatchRuleRequest(), "rule id must be set"),
        (api.UpdateSIPDispatchRuleRequest(sip_dispatch_rule_id="SDR_1"), "unsupported update action"),
        (
            api.UpdateSIPDispatchRuleRequest(sip_dispatch_rule_id="SDR_1", replace=api.SIPDispatchRuleInfo()),
            "missing rule",
        ),
        (
            api.UpdateSIPDispatchRuleRequest(
                sip_dispatch_rule_id="SDR_1", replace=whole_rule(sip_dispatch_rule_id="SDR_2")
            ),
            "empty or match the id",
        ),
        (api.DeleteSIPDispatchRuleRequest(), "dispatch rule ID is required"),
    ],
)
def test_requests_that_make_no_sense(livekit: LiveKitServer, request_: Any, says: str) -> None:
    livekit.add_dispatch_rule(whole_rule(sip_dispatch_rule_id="SDR_1"))
    with pytest.raises(api.ServerError, match=says) as caught:
        raw(livekit, type(request_).__name__.removesuffix("Request"), request_)
    assert caught.value.status == 400


def test_a_planted_rule_is_kept_byte_for_byte(livekit: LiveKitServer) -> None:
    planted = whole_rule(sip_dispatch_rule_id="SDR_planted")
    assert livekit.add_dispatch_rule(planted) == "SDR_planted"
    nameless = livekit.add_dispatch_rule(api.SIPDispatchRuleInfo(rule=individual("y-")))
    assert nameless.startswith("SDR_")
    assert rules(livekit, dispatch_rule_ids=["SDR_planted"]) == [planted]
