"""Every rotation is killed before and within every effect that it has; the next run ends as if nothing had happened."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest

from infra.functions.errors import LinkError
from infra.functions.links import Links
from scripts.livekit_access import LiveKit
from scripts.rotate.airtable import AirtableRotation
from scripts.rotate.airtable import Wish as AirtableWish
from scripts.rotate.links import LinksRotation
from scripts.rotate.links import Wish as LinksWish
from scripts.rotate.livekit import LiveKitRotation
from scripts.rotate.livekit import Wish as LiveKitWish
from scripts.rotate.settings import NAMESPACE
from scripts.rotate.steps import Machine, Report, Rotation
from scripts.rotate.uploader import UploaderRotation, Wish
from tests.unit.functions_support import recording
from tests.unit.rotate_support import (
    NEW_LIVEKIT,
    NEW_SECRET,
    NEW_TOKEN,
    NOW,
    OLD_LINK,
    OLD_LIVEKIT,
    OLD_TOKEN,
    Killed,
    World,
    accepted,
)

DAY = 24 * 3600.0
FULL_SCOPES = frozenset({"data.records:read", "data.records:write", "schema.bases:read"})


def uploader(world: World) -> Rotation:
    return UploaderRotation(ground=world, wish=Wish(copies_replaced=True))


def livekit(world: World) -> Rotation:
    return LiveKitRotation(ground=world, wish=LiveKitWish(key=lambda: NEW_LIVEKIT, secret=lambda: NEW_SECRET))


def links(world: World) -> Rotation:
    return LinksRotation(ground=world, wish=LinksWish(grace=30 * DAY))


def revoke(world: World) -> Rotation:
    return LinksRotation(ground=world, wish=LinksWish(grace=0.0, yes=True))


def airtable(world: World) -> Rotation:
    return AirtableRotation(ground=world, wish=AirtableWish(token=lambda: NEW_TOKEN), table=table)


def table(_token: str) -> Any:
    fine = {name: lambda: "fine" for name in ("token_is_valid", "exists", "required", "optional", "readable")}
    return SimpleNamespace(scopes=lambda: FULL_SCOPES, **fine)


KINDS: Mapping[str, Callable[[World], Rotation]] = {
    "uploader": uploader,
    "livekit": livekit,
    "links": links,
    "revoke": revoke,
    "airtable": airtable,
}


@pytest.fixture(autouse=True)
def _livekit_knows_every_key(monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]
    monkeypatch.setattr(LiveKit, "egresses", lambda *_, **__: [])
    monkeypatch.setattr(LiveKit, "dispatch_rules", lambda *_: [])


def run(world: World, kind: str) -> Report:
    """One run of the command."""
    return Machine(stack="unit", settings=world, say=world.say).run(KINDS[kind](world))


def to_the_end(world: World, kind: str) -> None:
    """Runs until it is over: through a grace time too, in which LiveKit's webhooks are told of the new key."""
    for _ in range(4):
        report = run(world, kind)
        if report.finished:
            return
        assert report.again is not None
        world.time = report.again + 1
        if kind == "livekit":
            world.project_signer = NEW_LIVEKIT
            world.lines.append(accepted(world.time - 10, NEW_LIVEKIT))
    raise AssertionError("it does not end")


def outcome(world: World) -> dict[str, Any]:
    """How the world is, but for what is drawn or counted."""
    config = {name: value for name, value in world.config.items() if name != "previousLinkSigningKeyUntil"}
    signing = config.pop("linkSigningKey")
    return {
        "config": config,
        "deployed": {name: value for name, value in world.config.items() if not name.startswith(NAMESPACE)}
        == world.deployed.config,
        "keys": sorted((generation, world.iam[key]) for generation, key in world.deployed.keys.items()),
        "strays": len(world.iam) - len(world.deployed.keys),
        "rules": {rule: (key == world.deployed.key, signer) for rule, (key, signer) in world.rules.items()},
        "link key is new": signing != OLD_LINK,
        "until": "previousLinkSigningKeyUntil" in world.config,
    }


def undisturbed(kind: str) -> World:
    """A world in which nothing is killed."""
    world = World()
    to_the_end(world, kind)
    return world


def counted(kind: str) -> int:
    """The effects of an undisturbed run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LiveKit, "egresses", lambda *_, **__: [])
        patch.setattr(LiveKit, "dispatch_rules", lambda *_: [])
        return undisturbed(kind).effects


DEATHS = [(kind, number, within) for kind in KINDS for number in range(counted(kind)) for within in (False, True)]


@pytest.mark.parametrize(("kind", "number", "within"), DEATHS)
def test_killed_anywhere_it_ends_right_and_nothing_was_refused_meanwhile(
    kind: str,
    number: int,
    within: bool,  # noqa: FBT001
) -> None:
    world = World(kill_at=number, within=within)
    with pytest.raises(Killed):
        to_the_end(world, kind)
    to_the_end(world, kind)
    assert outcome(world) == outcome(undisturbed(kind))


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_of_a_rotation_stays_behind(kind: str) -> None:
    world = undisturbed(kind)
    assert not [name for name in world.config if name.endswith("-state")]
    assert world.config[f"{NAMESPACE}:{kind.replace('revoke', 'links')}"] == "2026-11-24"
    assert outcome(world)["strays"] == 0


def opens(world: World, key: str) -> bool:
    """Whether `play` opens a link of that key with what is deployed."""
    until = world.deployed.config.get("previousLinkSigningKeyUntil")
    token = Links([key], world.now).issue(recording(), "v1", lifetime_s=int(DAY))
    try:
        Links(world.link_keys(), world.now, until=None if until is None else float(until)).open(token, world.now())
    except LinkError:
        return False
    return True


@pytest.mark.parametrize("kind", ["links", "revoke"])
@pytest.mark.parametrize("number", range(max(counted("links"), counted("revoke"))))
def test_links_that_have_ended_stay_ended_whoever_goes_on_after_a_kill(kind: str, number: int) -> None:
    world = World(kill_at=number)
    older = "an-older-link-key-whose-links-have-ended"
    world.config |= {"previousLinkSigningKey": older, "previousLinkSigningKeyUntil": str(int(NOW) - 1)}
    world.deployed.config |= world.config
    with suppress(Killed):
        run(world, kind)
    with suppress(Killed):  # by the rest of a count that is longer than this rotation
        world.up()
    assert not opens(world, older)


def test_all_links_can_be_ended_while_a_rotation_with_a_grace_time_is_unfinished() -> None:
    world = World(kill_at=counted("links") - 2)
    with pytest.raises(Killed):
        to_the_end(world, "links")
    assert run(world, "revoke").finished
    assert not opens(world, OLD_LINK)
    assert opens(world, world.config["linkSigningKey"])


def test_what_an_undisturbed_rotation_changes() -> None:
    uploaded = undisturbed("uploader")
    assert (uploaded.config["uploaderKeyGeneration"], "uploaderPreviousKey" in uploaded.config) == ("2", False)
    assert list(uploaded.iam.values()) == ["Active"]
    assert uploaded.rules["SDR_ours"][0] == uploaded.deployed.key != "AKIA1"
    signed = undisturbed("livekit")
    assert signed.honoured() == {NEW_LIVEKIT: NEW_SECRET}
    assert signed.rules["SDR_ours"][1] == NEW_LIVEKIT
    linked = undisturbed("links")
    assert linked.link_keys()[0] == OLD_LINK
    assert linked.new_links_play()
    assert int(linked.config["previousLinkSigningKeyUntil"]) >= NOW + 30 * DAY
    revoked = undisturbed("revoke")
    # Known, so that `link refresh` can renew what it signed; but it opens nothing.
    assert revoked.link_keys()[0] == OLD_LINK
    assert int(revoked.config["previousLinkSigningKeyUntil"]) < NOW
    assert not opens(revoked, OLD_LINK)
    assert opens(revoked, revoked.config["linkSigningKey"])
    assert revoked.config["auditKey"] == linked.config["auditKey"]
    assert re.fullmatch("[0-9a-f]{64}", revoked.config["auditKey"])
    assert undisturbed("airtable").deployed.config["airtableToken"] == NEW_TOKEN != OLD_TOKEN
    assert OLD_LIVEKIT not in signed.honoured()
