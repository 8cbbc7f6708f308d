"""What a rotation refuses, waits for, and says; what an undisturbed one does stands in test_rotate_kills.py."""

from __future__ import annotations

from typing import Any

import pytest

from scripts.errors import StackError, UnfinishedError, UsageError
from scripts.livekit_access import LiveKit
from scripts.rotate import state
from scripts.rotate.airtable import AirtableRotation
from scripts.rotate.airtable import Wish as AirtableWish
from scripts.rotate.ground import Outsider
from scripts.rotate.links import LinksRotation
from scripts.rotate.links import Wish as LinksWish
from scripts.rotate.livekit import LiveKitRotation, still_signed
from scripts.rotate.livekit import Wish as LiveKitWish
from scripts.rotate.settings import state_key
from scripts.rotate.steps import Machine, Report
from scripts.rotate.uploader import UploaderRotation, Wish
from scripts.verify.hop import Failed
from tests.unit.rotate_support import NEW_LIVEKIT, NEW_SECRET, NEW_TOKEN, NOW, OLD_LIVEKIT, OLD_TOKEN, World, accepted

DAY = 24 * 3600.0


@pytest.fixture(autouse=True)
def _livekit_knows_every_key(monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]
    monkeypatch.setattr(LiveKit, "egresses", lambda *_, **__: [])
    monkeypatch.setattr(LiveKit, "dispatch_rules", lambda *_: [])


def rotate(world: World, wish: Wish | None = None, **options: Any) -> Report:
    machine = Machine(stack="unit", settings=world, say=world.say, **options)
    return machine.run(UploaderRotation(ground=world, wish=wish or Wish(copies_replaced=True)))


def livekit(world: World, key: str = NEW_LIVEKIT, secret: str = NEW_SECRET, *, force: bool = False) -> Report:
    wish = LiveKitWish(key=lambda: key, secret=lambda: secret, force=force)
    return Machine(stack="unit", settings=world, say=world.say).run(LiveKitRotation(ground=world, wish=wish))


def links(world: World, wish: LinksWish | None = None) -> Report:
    return Machine(stack="unit", settings=world, say=world.say).run(
        LinksRotation(ground=world, wish=wish or LinksWish())
    )


def test_a_dry_run_shows_the_steps_and_touches_nothing() -> None:
    world = World()
    report = rotate(world, dry=True)
    assert world.effects == 0
    assert (report.begun, report.finished, report.document()["dryRun"]) == (False, False, True)
    assert [row["name"] for row in report.document()["steps"]][:3] == ["key", "probe", "rules"]
    assert any("dry run" in line for line in report.lines())


def test_finish_never_begins_one() -> None:
    world = World()
    report = rotate(world, finish=True)
    assert world.effects == 0
    assert "nothing to finish" in "\n".join(report.lines())
    assert not report.finished


def test_the_old_key_stays_until_somebody_answers_for_its_copies() -> None:
    world = World()
    with pytest.raises(UnfinishedError, match="--copies-replaced"):
        rotate(world, Wish())
    assert world.iam["AKIA1"] == "Active"
    assert world.rules["SDR_ours"][0] == world.deployed.key != "AKIA1"
    report = rotate(world, Wish(copies_replaced=True))
    assert world.iam["AKIA1"] == "Inactive"
    assert report.again == pytest.approx(world.time + 7 * DAY)
    assert "pulumi config set uploaderPreviousKey active" in report.advice[0]


def test_a_key_that_aws_saw_unused_for_a_month_needs_nobodys_word() -> None:
    world = World()
    with pytest.raises(UnfinishedError):
        rotate(world, Wish())
    world.time += 30 * DAY
    world.used["AKIA1"] = world.time - 29 * DAY
    with pytest.raises(UnfinishedError, match="AWS last saw it used at"):
        rotate(world, Wish())
    world.used["AKIA1"] = world.time - 30 * DAY
    rotate(world, Wish())
    assert world.iam["AKIA1"] == "Inactive"


def test_a_recording_of_before_keeps_the_old_key_active() -> None:
    world = World()
    world.running = [("EG_long", NOW - 3600, "AKIA1")]
    with pytest.raises(UnfinishedError, match="EG_long"):
        rotate(world)
    assert world.iam["AKIA1"] == "Active"
    world.running = []
    rotate(world)
    assert world.iam["AKIA1"] == "Inactive"


def test_a_start_that_was_on_its_way_is_waited_for() -> None:
    """It shows in LiveKit's list only after the first look."""
    world = World()
    looks = 0
    seen = world.running_since_before

    def look(moment: float) -> Any:
        nonlocal looks
        looks += 1
        if looks == 2:
            world.running = [("EG_late", world.time, "AKIA1")]
        if looks == 4:
            world.running = []
        return seen(moment)

    world.running_since_before = look
    rotate(world)
    assert looks > 4
    assert world.iam["AKIA1"] == "Inactive"


def test_without_a_livekit_nobody_can_say_what_runs() -> None:
    world = World()
    del world.config["livekitUrl"]
    with pytest.raises(UnfinishedError, match="livekitUrl is not set"):
        rotate(world)
    rotate(world, Wish(copies_replaced=True, force=True))
    assert world.iam["AKIA1"] == "Inactive"


def test_a_use_after_everything_ended_keeps_the_old_key_active() -> None:
    world = World()
    world.used["AKIA1"] = NOW + DAY
    with pytest.raises(UnfinishedError, match="something of yours still holds it"):
        rotate(world)
    assert world.iam["AKIA1"] == "Active"
    world.time = NOW + 2 * DAY
    with pytest.raises(UnfinishedError, match="something of yours still holds it"):
        rotate(world, Wish())  # nobody says that this copy was replaced
    rotate(world, Wish(copies_replaced=True))
    assert world.iam["AKIA1"] == "Inactive"


def test_a_key_that_was_brought_back_is_not_deleted() -> None:
    world = World()
    rotate(world)
    world.config["uploaderPreviousKey"] = "active"
    world.up()
    world.time += 8 * DAY
    world.used["AKIA1"] = world.time
    with pytest.raises(UnfinishedError, match="--copies-replaced"):
        rotate(world, Wish())
    assert world.iam["AKIA1"] == "Active"


def test_a_rule_of_somebody_else_may_hold_the_old_key() -> None:
    world = World()
    world.outsiders = [Outsider(rule="SDR_theirs", upload_key=None)]
    with pytest.raises(UnfinishedError, match="SDR_theirs"):
        rotate(world)
    assert world.iam["AKIA1"] == "Active"
    rotate(world, Wish(copies_replaced=True, force=True))
    assert world.iam["AKIA1"] == "Inactive"


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"uploader": "role"}, UsageError, "a role uploads"),
        ({"uploaderPreviousKey": "active"}, UsageError, "the key before this one is still there"),
    ],
)
def test_what_keeps_a_rotation_of_the_upload_key_from_beginning(
    change: dict[str, str], error: type[Exception], said: str
) -> None:
    world = World()
    world.config |= change
    with pytest.raises(error, match=said):
        rotate(world)
    assert world.effects == 0


def test_another_key_a_lost_key_and_a_stack_that_differs_are_named() -> None:
    world = World()
    world.differs = 3
    with pytest.raises(UsageError, match="3 resources differ"):
        rotate(world)
    world.iam["AKIAhand"] = "Active"
    with pytest.raises(UsageError, match="AKIAhand"):
        rotate(world)
    world.iam = {}
    with pytest.raises(StackError, match="AKIA1"):
        rotate(world)
    assert world.effects == 0


def test_livekits_key_waits_for_its_grace_and_for_livekits_own_setting() -> None:
    world = World()
    report = livekit(world)
    assert report.again == pytest.approx(world.time + 7 * DAY)
    assert NEW_LIVEKIT in report.advice[0]
    assert NEW_SECRET not in str(report)
    world.time += 7 * DAY + 1
    with pytest.raises(UnfinishedError, match="no event signed with the new key"):
        livekit(world)
    assert set(world.honoured()) == {OLD_LIVEKIT, NEW_LIVEKIT}
    world.lines = [accepted(world.time - 2 * DAY, OLD_LIVEKIT), accepted(world.time - 60, NEW_LIVEKIT)]
    world.project_signer = NEW_LIVEKIT
    assert livekit(world).finished
    assert set(world.honoured()) == {NEW_LIVEKIT}


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ([], "no event signed with the new key"),
        ([accepted(NOW - 9, "APInew", name="EV_callrec-verify-1")], "no event signed with the new key"),
        ([accepted(NOW - 9, "APInew"), accepted(NOW - 5, "APIold")], "LiveKit's newest events"),
        ([accepted(NOW - 9, "APIold"), accepted(NOW - 5, "APInew", "egress_ended")], "LiveKit's newest events"),
        ([accepted(NOW - 9, "APIold"), accepted(NOW - 5, "APInew")], "within the last day"),
        ([accepted(NOW - 2 * DAY, "APIold"), accepted(NOW - 5, "APInew")], ""),
    ],
)
def test_when_the_old_key_signs_nothing_any_more(lines: list[Any], why: str) -> None:
    found = still_signed(lines, "APIold", "APInew", NOW - DAY)
    assert why in found
    assert bool(found) is bool(why)


@pytest.mark.parametrize(
    ("key", "secret", "said"),
    [
        (OLD_LIVEKIT, NEW_SECRET, "is the key in use"),
        ("no key", NEW_SECRET, "livekitApiKey breaks its rule"),
        (NEW_LIVEKIT, "short", "livekitApiSecret breaks its rule"),
    ],
)
def test_a_livekit_key_that_cannot_be(key: str, secret: str, said: str) -> None:
    world = World()
    with pytest.raises(UsageError, match=said) as caught:
        livekit(world, key, secret)
    assert "short" not in str(caught.value)
    assert world.effects == 0


def test_a_livekit_key_that_is_no_good_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise StackError("ListEgress: 401")

    monkeypatch.setattr(LiveKit, "egresses", refused)
    world = World()
    before = dict(world.config)
    with pytest.raises(UnfinishedError, match="nothing was changed"):
        livekit(world)
    assert world.config == before


def test_another_livekit_key_is_still_honoured_or_livekit_is_not_known() -> None:
    world = World()
    world.config["previousLivekitApiKey"] = "APIolder"
    with pytest.raises(UsageError, match="APIolder"):
        livekit(world)
    world = World()
    del world.config["livekitUrl"]
    with pytest.raises(UsageError, match="cannot be proven"):
        livekit(world)


def test_links_never_end_unsaid() -> None:
    world = World()
    with pytest.raises(UsageError, match="--grace 0 --yes"):
        links(world, LinksWish(grace=0.0))
    report = links(world, LinksWish(grace=DAY))
    assert "callrec link refresh" in report.advice[1]
    with pytest.raises(UsageError, match="still play until"):
        links(world, LinksWish(grace=DAY))
    world.config.pop("previousLinkSigningKeyUntil")
    with pytest.raises(UsageError, match="without an end"):
        links(world, LinksWish(grace=DAY))
    assert "no link of the old key plays" in links(world, LinksWish(grace=0.0, yes=True)).advice[0]
    world.config["linkGraceDays"] = "3"
    assert links(world).finished
    assert float(world.config["previousLinkSigningKeyUntil"]) == pytest.approx(world.time + 3 * DAY, abs=5)


def test_pseudonyms_of_the_audit_stay_the_same_over_every_rotation() -> None:
    world = World()
    links(world, LinksWish(grace=0.0, yes=True))
    first = world.config["auditKey"]
    links(world, LinksWish(grace=0.0, yes=True))
    assert world.config["auditKey"] == first


class Table:
    """Airtable as a token reaches it."""

    def __init__(self, scopes: frozenset[str] | None, *, bad: bool = False) -> None:
        self.known, self.bad = scopes, bad

    def scopes(self) -> frozenset[str] | None:
        return self.known

    def fine(self) -> str:
        if self.bad:
            raise Failed("404", cause="the token lacks the base", mend="x")
        return "fine"

    token_is_valid = exists = required = optional = readable = fine


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (Table(frozenset({"data.records:read", "schema.bases:read"})), "it lacks data.records:write"),
        (Table(None, bad=True), "the token lacks the base"),
    ],
)
def test_a_token_that_is_no_good_is_not_stored(table: Any, said: str) -> None:
    world = World()
    rotation = AirtableRotation(ground=world, wish=AirtableWish(token=lambda: NEW_TOKEN), table=lambda _: table)
    with pytest.raises(UnfinishedError, match=said) as caught:
        Machine(stack="unit", settings=world, say=world.say).run(rotation)
    assert NEW_TOKEN not in str(caught.value)
    assert world.config["airtableToken"] == OLD_TOKEN
    assert state_key("airtable") not in world.config


def test_the_token_in_use_is_none() -> None:
    world = World()
    table: Any = Table(None)
    rotation = AirtableRotation(ground=world, wish=AirtableWish(token=lambda: OLD_TOKEN), table=lambda _: table)
    with pytest.raises(UsageError, match="the token in use"):
        Machine(stack="unit", settings=world, say=world.say).run(rotation)


@pytest.mark.parametrize("text", ["{", "[]", '{"2": {"done": [], "data": {}}}', '{"1": {"done": []}}'])
def test_a_state_of_another_version_is_not_guessed(text: str) -> None:
    with pytest.raises(StackError, match="another version"):
        state.read("links", text)


def test_secrets_of_a_state_show_in_no_repr() -> None:
    assert "hush" not in repr(state.State(kind="links", data={"key": "hush"}))
