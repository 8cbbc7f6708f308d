"""`callrec configure sip` against LiveKit's stand-in over real HTTP: what it changes and leaves, and the way back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from livekit import api

from infra.functions.egress import room_egress
from scripts.configure.found import egress_of, with_egress
from scripts.configure.rules import Change, Step
from scripts.errors import UnfinishedError, UsageError
from scripts.livekit_access import LiveKit, LiveKitError
from scripts.local.livekit_server import Fault, LiveKitServer, Outcome
from tests.unit.configure_support import (
    FOREIGN_SECRET,
    OTHER_SETTINGS,
    SECRET,
    SETTINGS,
    MemoryKeeper,
    access,
    foreign,
    full,
    messages,
    octets,
    rule,
    server,
    sip,
    stored,
)

ROOM_CONFIG = api.RoomConfiguration(metadata="x", agents=[api.RoomAgentDispatch(agent_name="camille", metadata="m")])
UNKNOWN = bytes.fromhex("c20c0568656c6c6f")  # field 200, which this version of livekit-api does not know


def attached(running: LiveKitServer, keeper: MemoryKeeper, *chosen: str, **choices: Any) -> list[Change]:
    part = sip(running, keeper, *chosen)
    changes = part.attaching(choices.get("settings", SETTINGS), oust=choices.get("oust", False))
    part.attach(changes)
    return changes


def detached(running: LiveKitServer, keeper: MemoryKeeper, *chosen: str) -> list[Change]:
    part = sip(running, keeper, *chosen)
    changes = part.detaching(SETTINGS)
    part.detach(changes)
    return changes


def steps(changes: list[Change]) -> dict[str, Step]:
    return {change.rule.removeprefix("SDR_"): change.step for change in changes}


def test_a_rule_gets_the_builders_egress_and_keeps_everything_else() -> None:
    with server() as running:
        before = rule("a", room_config=ROOM_CONFIG, metadata="clinic", attributes={"k": "v"}, trunk_ids=["ST_1"])
        running.add_dispatch_rule(before)
        changes = attached(running, MemoryKeeper())
        after = stored(running, "SDR_a")
    assert steps(changes) == {"a": Step.ADD}
    assert egress_of(after) == room_egress(SETTINGS, phone=True)
    assert egress_of(after).room.file_outputs[0].filepath == "recordings/{room_id}-{time}.mp4"  # pyright: ignore[reportOptionalMemberAccess]
    assert octets(with_egress(after, None)) == octets(before)


def test_the_grant_is_sip_admin_alone() -> None:
    with server() as running:
        running.add_dispatch_rule(rule("a"))
        attached(running, MemoryKeeper())
        entries = running.journal.entries
    grants = {grant for entry in entries for grant in entry.grants if not grant.startswith("can")}  # for participants
    assert grants == {"sip.admin"}
    assert {entry.method for entry in entries} == {"ListSIPDispatchRule", "UpdateSIPDispatchRule"}


def test_doing_it_again_changes_nothing() -> None:
    with server() as running:
        keeper = MemoryKeeper()
        running.add_dispatch_rule(rule("a"))
        attached(running, keeper)
        written, updates = len(keeper.texts), running.journal.count("UpdateSIPDispatchRule")
        assert steps(attached(running, keeper)) == {"a": Step.KEEP}
        assert (len(keeper.texts), running.journal.count("UpdateSIPDispatchRule")) == (written, updates)


def test_a_rule_with_every_field_set_comes_through_byte_by_byte() -> None:
    before: Any = full(api.SIPDispatchRuleInfo)
    before.MergeFromString(UNKNOWN)
    bare = with_egress(before, None)
    with server() as running:
        running.add_dispatch_rule(bare)
        keeper = MemoryKeeper()
        attached(running, keeper)
        assert octets(with_egress(stored(running, before.sip_dispatch_rule_id), None)) == octets(bare)
        assert steps(detached(running, keeper)) == {before.sip_dispatch_rule_id: Step.RESTORE}
        assert octets(stored(running, before.sip_dispatch_rule_id)) == octets(bare)
        assert UNKNOWN in octets(stored(running, before.sip_dispatch_rule_id))
        assert keeper.load() == {}


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(messages(api.SIPDispatchRuleInfo))
def test_any_rule_comes_through_configure_and_undo_byte_by_byte(made: api.SIPDispatchRuleInfo) -> None:
    made.sip_dispatch_rule_id = "SDR_any"
    made.rule.dispatch_rule_direct.room_name = "camille"
    with server() as running:
        keeper = MemoryKeeper()
        running.add_dispatch_rule(made)
        before = octets(stored(running, "SDR_any"))
        attached(running, keeper, oust=True)
        assert egress_of(stored(running, "SDR_any")) == room_egress(SETTINGS, phone=True)
        attached(running, keeper, oust=True, settings=OTHER_SETTINGS)
        detached(running, keeper)
        assert octets(stored(running, "SDR_any")) == before
        assert keeper.load() == {}


@pytest.mark.parametrize("room_config", [None, api.RoomConfiguration(), ROOM_CONFIG])
def test_undo_leaves_no_trace_of_a_room_configuration_that_was_not_there(
    room_config: api.RoomConfiguration | None,
) -> None:
    with server() as running:
        keeper = MemoryKeeper()
        running.add_dispatch_rule(rule("a", room_config=room_config))
        before = octets(stored(running, "SDR_a"))
        attached(running, keeper)
        detached(running, keeper)
        assert octets(stored(running, "SDR_a")) == before


def test_an_egress_of_somebody_elses_stays_unless_replaced_and_comes_back() -> None:
    with server() as running:
        keeper = MemoryKeeper()
        running.add_dispatch_rule(rule("a", room_config=api.RoomConfiguration(egress=foreign())))
        before = octets(stored(running, "SDR_a"))
        changes = attached(running, keeper)
        assert steps(changes) == {"a": Step.FOREIGN}
        assert changes[0].now == "records the room to S3 bucket their-bucket as x/{room_name}.ogg"
        assert octets(stored(running, "SDR_a")) == before
        assert steps(attached(running, keeper, oust=True)) == {"a": Step.REPLACE}
        assert egress_of(stored(running, "SDR_a")) == room_egress(SETTINGS, phone=True)
        detached(running, keeper)
        assert octets(stored(running, "SDR_a")) == before


def test_one_whose_credentials_livekit_hides_is_not_replaced_since_it_could_not_come_back() -> None:
    shown = foreign()
    shown.room.file_outputs[0].s3.secret = "{secret}"
    with server() as running:
        running.add_dispatch_rule(rule("a", room_config=api.RoomConfiguration(egress=shown)))
        assert steps(attached(running, MemoryKeeper(), oust=True)) == {"a": Step.HIDDEN}
        assert running.journal.count("UpdateSIPDispatchRule") == 0


def test_ours_is_known_where_livekit_hides_its_credentials() -> None:
    shown = room_egress(SETTINGS, phone=True)
    shown.room.file_outputs[0].s3.access_key, shown.room.file_outputs[0].s3.secret = "{access_key}", "{secret}"
    with server() as running:
        running.add_dispatch_rule(rule("a", room_config=api.RoomConfiguration(egress=shown)))
        assert steps(attached(running, MemoryKeeper())) == {"a": Step.KEEP}
        assert steps(detached(running, MemoryKeeper())) == {"a": Step.RESTORE}
        assert egress_of(stored(running, "SDR_a")) is None


def test_another_external_id_is_a_change_although_livekit_hides_it() -> None:
    role = replace(
        SETTINGS, access_key_id="", secret_access_key="", role_arn="arn:aws:iam::1:role/r", external_id="one"
    )
    with server() as running:
        keeper = MemoryKeeper()
        running.add_dispatch_rule(rule("a"))
        attached(running, keeper, settings=role)
        shown = stored(running, "SDR_a")
        shown.room_config.egress.room.file_outputs[0].s3.assume_role_external_id = "{external_id}"
        running.sip._rules["SDR_a"].CopyFrom(shown)
        assert steps(attached(running, keeper, settings=role)) == {"a": Step.KEEP}
        assert steps(attached(running, keeper, settings=replace(role, external_id="two"))) == {"a": Step.UPDATE}
        assert "one" not in keeper.texts[0]


def test_other_settings_update_what_is_ours_and_undo_still_knows_what_was_there_first() -> None:
    with server() as running:
        keeper = MemoryKeeper()
        running.add_dispatch_rule(rule("a"))
        before = octets(stored(running, "SDR_a"))
        attached(running, keeper, settings=OTHER_SETTINGS)
        changes = attached(running, keeper)
        assert steps(changes) == {"a": Step.UPDATE}
        assert changes[0].now.endswith("with other settings")
        detached(running, keeper)
        assert octets(stored(running, "SDR_a")) == before


def test_a_new_upload_key_is_a_change_too() -> None:
    older = room_egress(SETTINGS, phone=True)
    older.room.file_outputs[0].s3.secret = "the-secret-before"
    with server() as running:
        running.add_dispatch_rule(rule("a", room_config=api.RoomConfiguration(egress=older)))
        changes = attached(running, MemoryKeeper())
        assert steps(changes) == {"a": Step.UPDATE}
        assert changes[0].now.endswith("with another upload key")
        assert egress_of(stored(running, "SDR_a")) == room_egress(SETTINGS, phone=True)


def test_only_chosen_rules_are_touched() -> None:
    with server() as running:
        keeper = MemoryKeeper()
        for number, name in enumerate("abc"):
            running.add_dispatch_rule(rule(name, number))
        assert steps(attached(running, keeper, "SDR_a", "SDR_c")) == {"a": Step.ADD, "c": Step.ADD}
        assert egress_of(stored(running, "SDR_b")) is None
        assert steps(detached(running, keeper, "SDR_c")) == {"c": Step.RESTORE}
        assert egress_of(stored(running, "SDR_a")) is not None
        assert list(keeper.load()) == ["SDR_a"]


def test_a_rule_that_is_not_there_is_named() -> None:
    with server() as running:
        running.add_dispatch_rule(rule("a"))
        with pytest.raises(UsageError, match=r"no dispatch rule SDR_x. It has: SDR_a"):
            sip(running, MemoryKeeper(), "SDR_x").attaching(SETTINGS, oust=False)
        with pytest.raises(UsageError, match=r"knows a dispatch rule SDR_x"):
            sip(running, MemoryKeeper(), "SDR_x").detaching(SETTINGS)


def test_more_rules_than_a_page_holds() -> None:
    with server() as running:
        for number in range(230):
            running.add_dispatch_rule(rule(f"{number:03}", number))
        assert len(sip(running, MemoryKeeper()).attaching(SETTINGS, oust=False)) == 230
        assert running.journal.count("ListSIPDispatchRule") == 3


def test_a_failure_midway_is_told_and_done_again_from_there_with_what_was_found_first() -> None:
    with server() as running:
        keeper = MemoryKeeper()
        for number, name in enumerate("abc"):
            running.add_dispatch_rule(rule(name, number))
        before = {name: octets(stored(running, f"SDR_{name}")) for name in "abc"}
        part = sip(running, keeper)
        changes = part.attaching(SETTINGS, oust=False)
        # The second rule is changed, but the answer is lost; the third is not asked for any more.
        passing = Fault(outcome=Outcome.ANSWER, methods=frozenset({"UpdateSIPDispatchRule"}))
        running.faults.add(passing)
        running.faults.add(Fault(outcome=Outcome.CLOSE, applied=True, methods=frozenset({"UpdateSIPDispatchRule"})))
        with pytest.raises(UnfinishedError, match=r"rule SDR_b: UpdateSIPDispatchRule.*1 of 3 rules changed"):
            part.attach(changes)
        assert steps(attached(running, keeper)) == {"a": Step.KEEP, "b": Step.KEEP, "c": Step.ADD}
        running.faults.add(passing)
        running.faults.add(Fault(outcome=Outcome.STATUS, status=503, methods=frozenset({"UpdateSIPDispatchRule"})))
        with pytest.raises(UnfinishedError, match=r"rule SDR_b.*2 of 3 rules changed"):
            detached(running, keeper)
        assert list(keeper.load()) == ["SDR_b"]
        assert steps(detached(running, keeper)) == {"b": Step.RESTORE}
        assert {name: octets(stored(running, f"SDR_{name}")) for name in "abc"} == before


def test_what_was_found_is_kept_before_anything_is_changed() -> None:
    class Full(MemoryKeeper):
        def change(self, changes: Any) -> None:
            raise UnfinishedError("no space")

    with server() as running:
        running.add_dispatch_rule(rule("a"))
        with pytest.raises(UnfinishedError, match="no space"):
            attached(running, Full())
        assert running.journal.count("UpdateSIPDispatchRule") == 0


def test_a_rule_that_somebody_changes_at_the_same_moment_is_left_to_them() -> None:
    with server() as running:
        running.add_dispatch_rule(rule("a"))
        part = sip(running, MemoryKeeper())
        changes = part.attaching(SETTINGS, oust=False)
        running.add_dispatch_rule(rule("a", metadata="theirs"))
        with pytest.raises(UnfinishedError, match="somebody changed it just now"):
            part.attach(changes)
        assert stored(running, "SDR_a").metadata == "theirs"


def test_undo_keeps_what_somebody_changed_besides_the_egress() -> None:
    with server() as running:
        keeper = MemoryKeeper()
        running.add_dispatch_rule(rule("a"))
        attached(running, keeper)
        theirs = stored(running, "SDR_a")
        theirs.name = "renamed"
        theirs.room_config.agents.add(agent_name="camille")
        running.add_dispatch_rule(theirs)
        assert steps(detached(running, keeper)) == {"a": Step.RESTORE}
        assert octets(stored(running, "SDR_a")) == octets(with_egress(theirs, None))


@pytest.mark.parametrize("theirs", [foreign(), api.RoomEgress()])
def test_undo_refuses_an_egress_that_somebody_put_there_since(theirs: api.RoomEgress) -> None:
    with server() as running:
        keeper = MemoryKeeper()
        running.add_dispatch_rule(rule("a"))
        attached(running, keeper)
        changed = with_egress(stored(running, "SDR_a"), theirs)
        running.add_dispatch_rule(changed)
        assert steps(detached(running, keeper)) == {"a": Step.FOREIGN}
        assert octets(stored(running, "SDR_a")) == octets(changed)
        assert list(keeper.load()) == ["SDR_a"]


def test_undo_of_a_rule_that_is_gone_forgets_it() -> None:
    with server() as running:
        keeper = MemoryKeeper()
        running.add_dispatch_rule(rule("a"))
        attached(running, keeper)
        running.sip.delete(api.DeleteSIPDispatchRuleRequest(sip_dispatch_rule_id="SDR_a"), ADMIN)
        assert steps(detached(running, keeper)) == {"a": Step.GONE}
        assert keeper.load() == {}


def test_undo_without_a_record_takes_away_only_what_is_ours() -> None:
    with server() as running:
        running.add_dispatch_rule(rule("a", 1))
        running.add_dispatch_rule(rule("b", 2, room_config=api.RoomConfiguration(egress=foreign())))
        attached(running, MemoryKeeper())
        assert steps(detached(running, MemoryKeeper())) == {"a": Step.RESTORE}
        assert octets(stored(running, "SDR_a")) == octets(rule("a", 1))


def test_undo_with_nothing_kept_asks_livekit_for_nothing_when_only_that_counts() -> None:
    with server() as running:
        assert sip(running, MemoryKeeper()).detaching(None) == []
        assert running.journal.count() == 0


def test_the_secret_is_in_nothing_but_the_request() -> None:
    with server() as running:
        keeper = MemoryKeeper()
        running.add_dispatch_rule(rule("a", 1))
        running.add_dispatch_rule(rule("b", 2, room_config=api.RoomConfiguration(egress=foreign())))
        part = sip(running, keeper)
        changes = part.attaching(SETTINGS, oust=False)
        shown = [repr(part), repr(changes), *(str(change.row()) for change in changes)]
        part.attach(changes)
        shown += [*keeper.texts, repr(keeper.load()), repr(detached(running, keeper))]
    assert SECRET not in "".join(shown)
    assert FOREIGN_SECRET not in "".join(shown)
    assert running.api_secret not in "".join(shown)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault(outcome=Outcome.STATUS, status=401), r"401 unauthenticated: .*sip\.admin"),
        (Fault(outcome=Outcome.STATUS, status=403), r"403 permission_denied: .*sip\.admin"),
        (Fault(outcome=Outcome.STATUS, status=503), r"503 unavailable: LiveKit is out of order"),
        (Fault(outcome=Outcome.STATUS, status=429), r"429 resource_exhausted: .*asks to wait"),
        (Fault(outcome=Outcome.STATUS, status=500), r"500 internal: LiveKit is out of order"),
        (Fault(outcome=Outcome.CLOSE), r"did not answer \(ServerDisconnectedError\).*livekitUrl"),
    ],
)
def test_what_livekit_refuses_is_said_in_words(fault: Fault, words: str) -> None:
    with server() as running:
        running.faults.add(fault)
        with pytest.raises(LiveKitError, match=words):
            access(running).dispatch_rules()


def test_a_wrong_secret_and_an_unknown_key_are_told_from_a_missing_grant() -> None:
    with server() as running:
        for key, secret in ((running.api_key, "x" * 40), ("APIunknown", running.api_secret)):
            with pytest.raises(LiveKitError, match=r"401: .*does not know the key, or its secret is another") as caught:
                LiveKit(url=running.url, key=key, secret=secret).dispatch_rules()
            assert caught.value.access


def test_a_livekit_that_is_slow_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    from scripts import livekit_access  # noqa: PLC0415 -- to shorten its patience

    monkeypatch.setattr(livekit_access, "LIST_RULES", livekit_access.Method(name="List", grant="x", patience=0.2))
    with server() as running:
        running.faults.add(Fault(outcome=Outcome.ANSWER, delay_seconds=200))
        with pytest.raises(LiveKitError, match=r"did not answer within 0 s"):
            access(running).dispatch_rules()


ADMIN: Any = type("Grants", (), {"require_sip_admin": lambda _: None})()
