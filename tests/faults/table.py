"""The office's table: a conversation for a call, others that are none of ours, and what must be in it afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

from tests.faults.calls import Call, cells, iso
from tests.faults.held import none_of
from tests.faults.world import PLAY_URL, World

URL = "audio_recording_url"


def conversation(world: World, rng: Random, of: Call, *, with_room_id: bool, offset: float = 1.0) -> str:
    """The record that the agent makes when the call begins; `offset` seconds later."""
    own = {"room_name": of.room_name, "started_at": iso(of.began + offset)}
    if with_room_id:
        own["room_id"] = of.room_id
    return world.airtable.seed({**own, **_office(rng)}, created=iso(of.began + offset))


def bystander(world: World, rng: Random, room_name: str, moment: float) -> str:
    """A record that no call of the test belongs to; some have a link of somebody else's."""
    own = {"room_name": room_name, "started_at": iso(moment), **_office(rng)}
    if rng.random() < 0.3:
        own[URL] = f"https://elsewhere.invalid/{rng.randrange(10**6)}"
    return world.airtable.seed(own, created=iso(moment))


def _office(rng: Random) -> dict[str, Any]:
    """The office's own columns, sometimes empty."""
    own = {"patient_name": f"patient {rng.randrange(10**6)}", "notes": "called about a visit", "transcript": "hello"}
    return {name: value for name, value in own.items() if rng.random() < 0.8}


def check(
    world: World,
    before: Mapping[str, Mapping[str, Any]],
    expected: Mapping[str, Call],
    contents: Mapping[str, str] | None = None,
) -> None:
    """Every expected recording stands on its own record, and not one other cell of any record has changed.

    `expected`: record → call; `contents`: egress id → the version of its file, where its key has several.
    """
    after = world.airtable.snapshot()
    none_of(set(after) ^ set(before), "records appeared or vanished")
    problems = [
        f"{record_id}: {problem}"
        for record_id, cells_before in before.items()
        for problem in _differences(world, cells_before, after[record_id], expected.get(record_id), contents or {})
    ]
    none_of(problems, "records are not as they must be")


def check_writes(world: World, expected: Mapping[str, Call]) -> None:
    """Nothing was ever tried to be written but each recording's own values into its own record."""
    problems: list[str] = []
    for write in world.airtable.writes:
        call = expected.get(write.record_id)
        if call is None:
            problems.append(f"{write.record_id}: written, though nothing belongs there")
            continue
        found = {name: value for name, value in write.cells.items() if name != URL}
        if found != cells(call):
            problems.append(f"{write.record_id}: other values were written: {sorted(found)}")
        problems += [f"{write.record_id}: {word}" for word in _link_problems(world, write.cells.get(URL), call, {})]
    none_of(problems, "writes are wrong")


def linked(world: World) -> dict[str, str]:
    """Record → egress id, for the records that show a link of ours."""
    found: dict[str, str] = {}
    for record_id, shown in world.airtable.snapshot().items():
        url = str(shown.get(URL, ""))
        if url.startswith(f"{PLAY_URL}/r/"):
            found[record_id] = world.links.read(url.rpartition("/r/")[2]).egress_id
    return found


def _differences(
    world: World,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    call: Call | None,
    contents: Mapping[str, str],
) -> list[str]:
    wanted = dict(before) if call is None else {**before, **cells(call), URL: after.get(URL)}
    problems = [
        f"{name} is {after.get(name)!r}, not {wanted.get(name)!r}"
        for name in {*wanted, *after}
        if after.get(name) != wanted.get(name)
    ]
    return problems if call is None else problems + _link_problems(world, after.get(URL), call, contents)


def _link_problems(world: World, url: Any, call: Call, contents: Mapping[str, str]) -> list[str]:
    if not isinstance(url, str) or not url.startswith(f"{PLAY_URL}/r/"):
        return [f"{URL} is {url!r}"]
    link = world.links.read(url.rpartition("/r/")[2])
    problems: list[str] = []
    if (link.key, link.egress_id) != (call.key, call.egress_id):
        problems.append("the link plays another recording")
    if link.version != contents.get(call.egress_id, link.version):
        problems.append("the link plays another version")
    return problems
