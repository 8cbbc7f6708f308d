"""Which links are issued anew, what is written, and what is left as it is; Airtable's stand-in answers over HTTP."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from pyairtable import Api

from infra.functions.links import Link, Links
from scripts.link import refresh_report
from scripts.link.refresh import BATCH, Refresh
from scripts.link.renewal import JUST_ISSUED_SECONDS, Judged, Outcome, Rule
from scripts.link.signing import Signing
from scripts.link.storage import Stored
from scripts.local.airtable_server import AirtableServer, Fault
from scripts.local.airtable_server import Outcome as Answer
from scripts.recordings.conversations import patient
from scripts.recordings.find import Shelf
from tests.unit.functions_airtable import airtable_settings
from tests.unit.functions_support import NOW, Clock, recording

OLD, NEW = "an old signing key of at least 32 bytes", "the signing key of at least 32 bytes long"
DAY = 86_400
THERE, GONE, ERASED = Stored(), Stored(there=False), Stored(erased=True)


class Desk:
    """A table with links, S3 as `stored` says by egress id, and runs over them whose waiting only moves the clock."""

    def __init__(self, server: AirtableServer, clock: Clock) -> None:
        self.server, self.clock, self.asked = server, clock, list[str]()
        self.stored: dict[str, Stored] = {}
        self.done: list[Judged] = []
        self.links = Links((OLD, NEW), clock)
        self.signing = Signing(links=self.links, play_url="https://play.example", lifetime_s=30 * DAY)

    def url(self, egress_id: str, *, ends_in: float, age: float = DAY, key: str = NEW) -> str:
        then = self.clock.now - age
        made = recording(egress_id=egress_id, room_id=f"RM_{egress_id}")
        token = Links([key], Clock(then)).issue(made, f"v-{egress_id}", lifetime_s=int(age + ends_in))
        return f"https://old.example/r/{token}"

    def seed(self, egress_id: str, url: str, **cells: str) -> str:
        room = {"room_name": egress_id, "room_id": f"RM_{egress_id}", "egress_id": egress_id}
        return self.server.seed({**room, "audio_recording_url": url, **cells})

    def run(self, *, dry_run: bool = False, **rule: Any) -> Mapping[tuple[str, bool], Outcome]:
        table = patient(airtable_settings(self.server), lambda _: None, self.clock, self._sleep)
        table.airtable.use_token(self.server.token)
        shelf = Shelf(table=table, links=self.links, tell=lambda _: None)
        given: dict[str, Any] = {"now": self.clock.now, "span_s": 7 * DAY} | rule
        wanted = Rule(**given)
        run = Refresh(shelf=shelf, signing=self.signing, rule=wanted, ask=self._ask, say=lambda _: None)
        self.done = run.run(dry_run=dry_run)
        return {(one.kept.record_id, one.kept.listed): one.outcome for one in self.done}

    def link(self, record: str) -> Link:
        return self.links.read(str(self.server.read(record)["audio_recording_url"]).rpartition("/r/")[2])

    def _ask(self, link: Link) -> Stored:
        self.asked.append(link.egress_id)
        return self.stored.get(link.egress_id, THERE)

    def _sleep(self, seconds: float) -> None:
        self.clock.now += seconds


@pytest.fixture
def desk() -> Iterator[Desk]:
    clock = Clock()
    with AirtableServer(
        clock=clock
    ) as running:  # counts its five requests a second by the clock that the waiting moves
        yield Desk(running, clock)


@pytest.mark.parametrize(
    ("ends_in", "key", "rule", "outcome"),
    [
        (8 * DAY, NEW, {}, Outcome.FRESH),
        (7 * DAY, NEW, {}, Outcome.RENEWED),
        (-300 * DAY, NEW, {}, Outcome.RENEWED),
        (8 * DAY, OLD, {}, Outcome.RENEWED),
        (8 * DAY, NEW, {"span_s": 9 * DAY}, Outcome.RENEWED),
        (8 * DAY, NEW, {"everything": True}, Outcome.RENEWED),
        (8 * DAY, NEW, {"egress_id": "EG_a"}, Outcome.RENEWED),
    ],
)
def test_what_is_due(desk: Desk, ends_in: float, key: str, rule: dict[str, Any], outcome: Outcome) -> None:
    age = 400 * DAY if ends_in < 0 else DAY
    record = desk.seed("EG_a", desk.url("EG_a", ends_in=ends_in, age=age, key=key))
    before = desk.link(record)
    assert desk.run(**rule) == {(record, False): outcome}
    after = desk.link(record)
    if outcome is Outcome.FRESH:
        assert after == before
        assert desk.asked == []
    else:
        assert after == replace(before, issued_at=after.issued_at, expires_at=after.issued_at + 30 * DAY)
        assert desk.links.by_newest(str(desk.server.read(record)["audio_recording_url"]).rpartition("/r/")[2])


def test_what_an_interrupted_run_has_done_is_done(desk: Desk) -> None:
    record = desk.seed("EG_a", desk.url("EG_a", ends_in=20 * DAY, age=JUST_ISSUED_SECONDS - 1))
    assert desk.run(everything=True) == {(record, False): Outcome.FRESH}


@pytest.mark.parametrize(
    ("stored", "again", "outcome"),
    [
        (GONE, False, Outcome.GONE),
        (GONE, True, Outcome.GONE),
        (ERASED, True, Outcome.ERASED),
        (Stored(revoked_before=NOW), False, Outcome.REVOKED),
        (Stored(revoked_before=NOW), True, Outcome.RENEWED),
        (Stored(revoked_before=NOW - 2 * DAY), False, Outcome.RENEWED),  # the link is of later
        (Stored(revoked_before=math.inf), False, Outcome.REVOKED),
        (Stored(cold=True), False, Outcome.RENEWED),
    ],
)
def test_what_may_not_be_heard_gets_no_new_link(
    desk: Desk,
    stored: Stored,
    again: bool,  # noqa: FBT001 -- pytest's way
    outcome: Outcome,
) -> None:
    record = desk.seed("EG_a", desk.url("EG_a", ends_in=DAY))
    desk.stored["EG_a"], before = stored, desk.server.read(record)
    assert desk.run(egress_id="EG_a", again=again) == {(record, False): outcome}
    assert (desk.server.read(record) == before) is (outcome is not Outcome.RENEWED)


def test_a_conversation_of_another_call_keeps_its_link(desk: Desk) -> None:
    record = desk.seed("EG_a", desk.url("EG_a", ends_in=DAY), room_id="RM_another")
    before = desk.server.read(record)
    assert desk.run() == {(record, False): Outcome.CONTRADICTS}
    assert desk.server.read(record) == before


def test_each_link_of_a_list_stays_in_its_place(desk: Desk) -> None:
    late = desk.url("EG_b", ends_in=90 * DAY)
    listed = f"{desk.url('EG_a', ends_in=DAY)}\n{late}"
    record = desk.server.seed({"room_name": "x", "audio_recording_url": late, "audio_recordings": listed})
    desk.stored["EG_b"] = GONE  # nobody asks: it is not due
    desk.run()
    cells = desk.server.read(record)
    first, second = str(cells["audio_recordings"]).splitlines()
    assert desk.links.read(first.rpartition("/r/")[2]).egress_id == "EG_a"
    assert first.startswith("https://play.example/r/")
    assert second == cells["audio_recording_url"] == late
    assert desk.asked == ["EG_a"]


def test_what_is_revoked_during_a_run_gets_no_new_link(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    record = desk.seed("EG_a", desk.url("EG_a", ends_in=DAY))
    before, read = desk.server.read(record), Shelf.everything

    def everything(self: Shelf) -> Any:
        yield from read(self)
        desk.stored["EG_a"] = Stored(revoked_before=NOW)

    monkeypatch.setattr(Shelf, "everything", everything)
    assert desk.run() == {(record, False): Outcome.REVOKED}
    assert desk.server.read(record) == before


def test_a_dry_run_writes_nothing(desk: Desk) -> None:
    record = desk.seed("EG_a", desk.url("EG_a", ends_in=DAY))
    before = desk.server.read(record)
    assert desk.run(dry_run=True) == {(record, False): Outcome.RENEWED}
    assert desk.server.read(record) == before


def test_many_are_written_in_tens_beside_deliver(desk: Desk) -> None:
    records = [desk.seed(f"EG_{number}", desk.url(f"EG_{number}", ends_in=DAY)) for number in range(BATCH * 2 + 1)]
    assert set(desk.run().values()) == {Outcome.RENEWED}
    assert {desk.link(record).expires_at > desk.clock.now + 29 * DAY for record in records} == {True}
    writes = [entry for entry in desk.server.journal.entries if entry.method == "PATCH"]
    assert len(writes) == 3


def test_what_deliver_wrote_meanwhile_is_not_undone(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    record = desk.seed("EG_a", desk.url("EG_a", ends_in=DAY))
    newer = desk.url("EG_a", ends_in=30 * DAY, age=0)
    read = Shelf.records

    def records(self: Shelf, record_ids: Any) -> Any:
        api = Api(desk.server.token, endpoint_url=desk.server.url)
        api.table(desk.server.base_id, desk.server.table).update(record, {"audio_recording_url": newer})
        return read(self, record_ids)

    monkeypatch.setattr(Shelf, "records", records)
    assert desk.run() == {(record, False): Outcome.FRESH}
    assert desk.server.read(record)["audio_recording_url"] == newer


def test_what_airtable_refuses_is_told(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    record = desk.seed("EG_a", desk.url("EG_a", ends_in=DAY))
    desk.server.faults.add(Fault(outcome=Answer.STATUS, status=422, methods=frozenset({"PATCH"}), times=None))
    assert desk.run() == {(record, False): Outcome.FAILED}
    refresh_report.show(desk.done, dry_run=False)
    shown = capsys.readouterr().out
    assert "EG_a" in shown
    assert "0 links are issued anew, 1 failed" in shown
    told = refresh_report.document("local", desk.done, dry_run=False)
    assert (told["ok"], "/r/" in str(told)) == (False, False)
