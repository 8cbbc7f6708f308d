"""Erasing a recording: what goes, what stays, and that it goes on after a death at any point."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from livekit import api

from infra.functions.erasures import Erasure, State
from infra.functions.links import Links
from scripts.erase.record import read, write
from scripts.erase.run import Eraser, Wish
from scripts.errors import ScriptError, StackError, UnfinishedError, UsageError
from scripts.livekit_access import LiveKitError
from scripts.local.airtable_server import AirtableServer, conversations_table, field_of
from scripts.recordings.conversations import patient
from scripts.recordings.find import Shelf
from tests.unit.bucket_support import NOW, Bucket, Killed
from tests.unit.functions_airtable import airtable_settings
from tests.unit.functions_support import Clock, recording

LINK_KEY = "the signing key of at least 32 bytes long"
KEY = "calls/one.mp4"
END = NOW - timedelta(hours=3)


class FakeLiveKit:
    """What LiveKit lists; None in place of it: LiveKit is not known."""

    def __init__(self, *egresses: api.EgressInfo) -> None:
        self.listed = list(egresses)

    def ask(self, _method: Any, _task: Any) -> Any:
        return api.ListEgressResponse(items=self.listed)

    def egresses(self, *, active: bool) -> list[api.EgressInfo]:
        assert not active
        return self.listed


class DeafLiveKit:
    """A LiveKit that cannot be asked."""

    def ask(self, _method: Any, _task: Any) -> Any:
        raise LiveKitError("ListEgress: 401", code="unknown", cause="unknown key", mend="another", access=True)

    def egresses(self, *, active: bool) -> list[api.EgressInfo]:
        return self.ask(active, None)


def info(egress_id: str, key: str = KEY, status: Any = api.EgressStatus.EGRESS_COMPLETE) -> api.EgressInfo:
    began, ended = (int(moment.timestamp()) * 10**9 for moment in (END - timedelta(minutes=5), END))
    file = api.FileInfo(filename=key, size=5, started_at=began, ended_at=ended, duration=300 * 10**9)
    return api.EgressInfo(
        egress_id=egress_id, room_id="RM_1", room_name="camille", status=status, started_at=began, ended_at=ended,
        file_results=[file] if key else [],
    )  # fmt: skip


class Rig:
    def __init__(self, server: AirtableServer) -> None:
        self.server, self.bucket, self.clock = server, Bucket(), Clock()
        self.livekit: FakeLiveKit | DeafLiveKit | None = FakeLiveKit()
        self.held = False
        self.now = NOW

    def link(self, egress_id: str, version: str, key: str = KEY, room_id: str | None = "RM_1") -> str:
        made = recording(
            egress_id=egress_id, key=key, room_id=room_id, ended_at=END, started_at=END - timedelta(minutes=5)
        )
        return "https://play.example/r/" + Links([LINK_KEY]).issue(made, version, lifetime_s=86_400)

    def seed(self, egress: str, version: str, key: str = KEY, *, listed: str = "", **more: Any) -> str:
        cells: dict[str, Any] = {
            "room_name": "camille",
            "audio_recording_url": self.link(egress, version, key),
            "audio_recordings": listed,
            "egress_id": egress,
            "room_id": "RM_1",
            "recording_duration": 300,
            "recording_size": 5,
            "recording_started_at": (END - timedelta(minutes=5)).isoformat(),
            "recording_ended_at": END.isoformat(),
            "recording_status": "Recorded",
            **more,
        }
        known = {column.name for column in self.server.base.tables[0].columns.values()}
        return self.server.seed({name: value for name, value in cells.items() if name in known and value})

    def eraser(self) -> Eraser:
        settings = airtable_settings(self.server, interval_s=2.0)
        table = patient(settings, lambda _: None, self.clock, self._sleep)
        table.airtable.use_token(self.server.token)
        update = table.update

        def killable(updates: Any, *rest: Any) -> Any:
            with self.bucket.change("airtable"):
                return update(updates, *rest)

        monkey: Any = table
        monkey.update = killable
        shelf = Shelf(table=table, links=Links([LINK_KEY]), tell=lambda _: None)
        return Eraser(
            s3=cast("Any", self.bucket), bucket="recordings", prefix="calls/", held=self.held, shelf=shelf,
            livekit=cast("Any", self.livekit), tell=lambda _: None, now=lambda: self.now,
        )  # fmt: skip

    def _sleep(self, seconds: float) -> None:
        self.clock.now += seconds

    def erase(self, egress_id: str = "EG_1", **wish: Any) -> Erasure:
        eraser, wished = self.eraser(), Wish(**wish)
        plan = eraser.plan(egress_id, wished)
        return cast("Erasure", plan.record) if plan.done else eraser.do(plan, wished)

    def erase_nothing(self) -> Erasure:
        """A record of an erasure that found no version."""
        done = Erasure(egress_id="EG_1", state=State.DONE, at=int(NOW.timestamp()), versions=0, size_bytes=0)
        write(cast("Any", self.bucket), "recordings", done)
        return done

    def refused(self, kind: type[ScriptError], words: str, egress_id: str = "EG_1", **wish: Any) -> str:
        """Nothing is changed by what is refused."""
        before = [(one.key, one.id) for one in self.bucket.versions], self.bucket.halves
        with pytest.raises(kind, match=words) as refusal:
            self.erase(egress_id, **wish)
        assert ([(one.key, one.id) for one in self.bucket.versions], self.bucket.halves) == before
        return str(refusal.value)

    def record(self, egress_id: str = "EG_1") -> Erasure | None:
        return read(cast("Any", self.bucket), "recordings", egress_id)

    def keys(self) -> set[str]:
        return {one.key for one in self.bucket.versions}


@pytest.fixture
def rig(server: AirtableServer) -> Rig:
    return Rig(server)


KEPT = {"room_name", "egress_id", "room_id", "recording_status"}


def test_everything_of_it_goes_and_nothing_else(rig: Rig) -> None:
    version = rig.bucket.add(KEY, modified=END)
    rig.bucket.add(KEY, marker=True, modified=END + timedelta(days=1))
    rig.bucket.add("calls/EG_1.json", b"manifest", modified=END)
    others = {"calls/one.mp4.bak", "calls/EG_10.json", "calls/another.mp4"}
    for key in others:
        rig.bucket.add(key)
    rig.bucket.uploads = {"u1": KEY, "u2": "calls/one.mp4.bak", "u3": "calls/EG_1.json"}
    record = rig.seed("EG_1", version)
    neighbour = rig.seed("EG_2", "v9", "calls/another.mp4", room_id="RM_2")
    before = rig.server.read(neighbour)
    done = rig.erase()
    assert rig.keys() == others | {"erasures/EG_1.json"}
    assert rig.bucket.uploads == {"u2": "calls/one.mp4.bak"}
    cells = rig.server.read(record)
    assert set(cells) == KEPT
    assert cells["recording_status"] == "Erased on request on 24 November 2026"
    assert rig.server.read(neighbour) == before
    assert done == rig.record()
    assert (done.state, done.versions, done.size_bytes, done.at) == (State.DONE, 2, 13, int(NOW.timestamp()))


def test_the_record_names_nobody(rig: Rig) -> None:
    rig.seed("EG_1", rig.bucket.add(KEY, modified=END))
    rig.erase()
    for one in rig.bucket.of("erasures/EG_1.json"):
        assert set(json.loads(one.body)) == {"egress_id", "state", "at", "versions", "size_bytes"}
        assert not any(word in one.body for word in (b"camille", b"calls/", b"RM_1", b"rec"))


@pytest.mark.parametrize("die", range(1, 13))
def test_killed_anywhere_the_same_command_ends_it(rig: Rig, die: int) -> None:
    version = rig.bucket.add(KEY, modified=END)
    rig.bucket.uploads = {"u1": KEY}
    record = rig.seed("EG_1", version)
    recorded_before_deleting: list[bool] = []
    rig.bucket.on_change = lambda what: what == "delete" and recorded_before_deleting.append(rig.record() is not None)
    rig.bucket.kill_at = die
    with pytest.raises(Killed):
        rig.erase()
    begun = rig.record()
    rig.bucket.kill_at = None
    rig.now = NOW + timedelta(days=1)
    done = rig.erase()
    assert (done.state, done.versions, done.size_bytes) == (State.DONE, 1, 5)
    assert rig.keys() == {"erasures/EG_1.json"}
    assert not rig.bucket.uploads
    assert set(rig.server.read(record)) == KEPT
    assert all(recorded_before_deleting)
    if begun is not None and begun.state is State.DONE:
        assert done == begun  # it is not done twice


def test_there_are_twelve_places_to_die(rig: Rig) -> None:
    rig.bucket.uploads = {"u1": KEY}
    rig.seed("EG_1", rig.bucket.add(KEY, modified=END))
    rig.erase()
    assert rig.bucket.halves == 12


def test_done_is_done(rig: Rig) -> None:
    rig.seed("EG_1", rig.bucket.add(KEY, modified=END))
    first = rig.erase()
    halves, rig.now = rig.bucket.halves, NOW + timedelta(days=9)
    assert rig.erase() == first
    assert rig.bucket.halves == halves


@pytest.mark.parametrize("thorough", [True, False])
def test_copies_of_the_link_elsewhere_go_when_the_whole_table_is_read(rig: Rig, *, thorough: bool) -> None:
    version = rig.bucket.add(KEY, modified=END)
    own, copy = rig.seed("EG_1", version), rig.seed("EG_1", version, egress_id="EG_7")
    rig.erase(thorough=thorough)
    assert "audio_recording_url" not in rig.server.read(own)
    assert ("audio_recording_url" in rig.server.read(copy)) is not thorough


def test_two_complete_versions_of_one_egress_both_go(rig: Rig) -> None:
    rig.bucket.add(KEY, modified=END)
    version = rig.bucket.add(KEY, modified=END + timedelta(minutes=2))
    rig.livekit = FakeLiveKit(info("EG_1"))
    rig.seed("EG_1", version)
    assert rig.erase().versions == 2
    assert rig.keys() == {"erasures/EG_1.json"}


def test_a_file_that_another_calls_link_names_is_not_touched(rig: Rig) -> None:
    own, theirs = rig.bucket.add(KEY, modified=END), rig.bucket.add(KEY, modified=END + timedelta(minutes=2))
    rig.livekit = FakeLiveKit(info("EG_1"))
    rig.seed("EG_1", own)
    other = rig.seed("EG_2", theirs, room_id="RM_2")
    said = rig.refused(StackError, "recording of another call too: EG_2")
    assert other in said
    assert own in said
    rig.refused(StackError, "recording of another call too", key=KEY)


def test_a_file_that_livekit_says_another_call_made_is_not_touched(rig: Rig) -> None:
    own = rig.bucket.add(KEY, modified=END)
    rig.bucket.add(KEY, modified=END + timedelta(minutes=2))
    rig.livekit = FakeLiveKit(info("EG_1"), info("EG_2", status=api.EgressStatus.EGRESS_ACTIVE))
    rig.seed("EG_1", own)
    rig.refused(StackError, "recording of another call too: EG_2")
    rig.refused(StackError, "recording of another call too: EG_2", key=KEY)


@pytest.mark.parametrize(
    ("knows", "modified"),
    [
        (None, END),  # nobody can be asked
        (FakeLiveKit(), END),  # LiveKit has forgotten the time
        (FakeLiveKit(info("EG_1")), END - timedelta(days=1)),
        (FakeLiveKit(info("EG_1")), END + timedelta(hours=2)),
    ],
)
def test_a_version_of_which_nobody_knows_whose_it_is_stays_unless_it_is_named(
    rig: Rig, knows: FakeLiveKit | None, modified: datetime
) -> None:
    own = rig.bucket.add(KEY, modified=END)
    rig.bucket.add(KEY, modified=modified)
    rig.livekit = knows
    rig.seed("EG_1", own)
    rig.refused(StackError, "nobody can say")
    assert rig.erase(key=KEY).versions == 2


def test_a_recording_that_no_conversation_links_is_found_by_livekit(rig: Rig) -> None:
    rig.livekit = FakeLiveKit(info("EG_1"))
    rig.bucket.add(KEY, modified=END)
    assert rig.erase().versions == 1
    assert rig.keys() == {"erasures/EG_1.json"}


def test_what_nobody_knows_is_named_by_its_file(rig: Rig) -> None:
    rig.bucket.add(KEY, modified=END)
    rig.refused(StackError, "--key calls/")
    rig.livekit = None
    rig.refused(StackError, "--key calls/")
    assert rig.erase(key=KEY).versions == 1


def test_half_erased_and_linked_nowhere_it_asks_for_the_file_again(rig: Rig) -> None:
    rig.bucket.add(KEY, modified=END)
    rig.bucket.kill_at = 2
    with pytest.raises(Killed):
        rig.erase(key=KEY)
    rig.bucket.kill_at = None
    rig.refused(StackError, "--key calls/")
    assert rig.erase(key=KEY).versions == 1
    assert rig.keys() == {"erasures/EG_1.json"}


@pytest.mark.parametrize("key", ["erasures/EG_2.json", "elsewhere/x.mp4", "calls/../x.mp4", "calls/"])
def test_outside_the_recordings_folder_nothing_is_ever_deleted(rig: Rig, key: str) -> None:
    rig.bucket.add(key)
    rig.refused(UsageError, "lies outside calls/", key=key)
    rig.seed("EG_1", "v0", key)
    rig.refused(UsageError, "lies outside calls/")


def test_the_named_file_must_be_the_linked_one(rig: Rig) -> None:
    rig.seed("EG_1", rig.bucket.add(KEY, modified=END))
    rig.refused(UsageError, "another file than the link", key="calls/two.mp4")


def test_what_still_records_is_not_erased(rig: Rig) -> None:
    rig.livekit = FakeLiveKit(info("EG_1", status=api.EgressStatus.EGRESS_ACTIVE))
    rig.refused(UnfinishedError, "still recording")


def test_what_left_no_file_is_said(rig: Rig) -> None:
    rig.livekit = FakeLiveKit(info("EG_1", "", api.EgressStatus.EGRESS_FAILED))
    rig.refused(StackError, "left no file")


def locked(rig: Rig, **lock: Any) -> None:
    rig.bucket.locks = True
    rig.seed("EG_1", rig.bucket.add(KEY, modified=END, **lock))


SOON = NOW + timedelta(days=30)


def test_governance_says_until_when_and_yields_to_the_right(rig: Rig) -> None:
    locked(rig, mode="GOVERNANCE", until=SOON)
    said = rig.refused(UnfinishedError, "2026-12-24 12:00 UTC")
    assert "s3:BypassGovernanceRetention" in said
    assert "--bypass-governance" in said
    assert rig.erase(bypass=True).state is State.DONE


def test_compliance_yields_to_nobody(rig: Rig) -> None:
    locked(rig, mode="COMPLIANCE", until=SOON)
    said = rig.refused(UnfinishedError, "until 2026-12-24 12:00 UTC", bypass=True)
    assert "neither you nor AWS" in said


@pytest.mark.parametrize("mode", ["GOVERNANCE", "COMPLIANCE"])
def test_a_lock_that_ran_out_keeps_nothing(rig: Rig, mode: str) -> None:
    locked(rig, mode=mode, until=NOW - timedelta(seconds=1))
    assert rig.erase().state is State.DONE


def test_a_legal_hold_says_how_it_is_lifted(rig: Rig) -> None:
    locked(rig, hold=True)
    assert "callrec hold EG_1 --release" in rig.refused(UnfinishedError, "legal hold", bypass=True)


def test_the_stacks_legal_hold_keeps_everything(rig: Rig) -> None:
    rig.seed("EG_1", rig.bucket.add(KEY, modified=END))
    rig.held = True
    assert "pulumi config set legalHold false" in rig.refused(UnfinishedError, "legal hold by its configuration")


def test_a_lock_that_came_meanwhile_leaves_it_unfinished_and_the_link_in_place(rig: Rig) -> None:
    version = rig.bucket.add(KEY, modified=END)
    record = rig.seed("EG_1", version)
    eraser = rig.eraser()
    plan = eraser.plan("EG_1", Wish())
    rig.bucket.of(KEY)[0].hold = True
    with pytest.raises(UnfinishedError, match="S3 keeps 1 versions"):
        eraser.do(plan, Wish())
    assert "audio_recording_url" in rig.server.read(record)
    rig.bucket.of(KEY)[0].hold = False
    assert rig.erase().state is State.DONE


def test_a_longer_recording_of_the_same_call_stays(rig: Rig) -> None:
    short, longer = rig.bucket.add(KEY, modified=END), rig.bucket.add("calls/two.mp4", modified=END)
    stays = rig.link("EG_2", longer, "calls/two.mp4")
    record = rig.seed("EG_2", longer, "calls/two.mp4", listed=f"{rig.link('EG_1', short)}\n{stays}")
    before = rig.server.read(record)
    rig.erase()
    assert rig.server.read(record) == before | {"audio_recordings": stays}
    assert rig.keys() == {"calls/two.mp4", "erasures/EG_1.json"}


def test_of_the_longer_one_only_its_own_cells_go(rig: Rig) -> None:
    short, longer = rig.bucket.add(KEY, modified=END), rig.bucket.add("calls/two.mp4", modified=END)
    stays = rig.link("EG_1", short)
    links = f"{stays}\n{rig.link('EG_2', longer, 'calls/two.mp4')}"
    record = rig.seed("EG_2", longer, "calls/two.mp4", listed=links)
    rig.erase("EG_2")
    after = rig.server.read(record)
    assert set(after) == KEPT | {"audio_recordings"}
    assert after["audio_recordings"] == stays


@pytest.mark.parametrize(
    ("choices", "status"),
    [(("Recorded", "Erased on request"), "Erased on request"), (("Recorded",), "Recorded")],
)
def test_a_status_of_fixed_choices_gets_the_plain_words_or_none(choices: tuple[str, ...], status: str) -> None:
    table = conversations_table(extra=(field_of("recording_status", "singleSelect", choices=choices),))
    with AirtableServer(tables=[table]) as server:
        server.rate_limit.enabled = False
        rig = Rig(server)
        record = rig.seed("EG_1", rig.bucket.add(KEY, modified=END))
        rig.erase()
        assert server.read(record).get("recording_status") == status


def test_a_table_without_ids_keeps_the_place_by_words() -> None:
    """Else a recording of the same room name that is delivered later could be linked here."""
    with AirtableServer(tables=[conversations_table(without=("egress_id", "room_id"))]) as server:
        server.rate_limit.enabled = False
        rig = Rig(server)
        record = rig.seed("EG_1", rig.bucket.add(KEY, modified=END))
        rig.erase()
        assert server.read(record)["audio_recording_url"] == "Erased on request on 24 November 2026"


def test_an_empty_id_is_filled_in_so_that_the_place_is_kept(rig: Rig) -> None:
    record = rig.seed("EG_1", rig.bucket.add(KEY, modified=END), egress_id="", room_id="")
    rig.erase()
    cells = rig.server.read(record)
    assert (cells["egress_id"], cells["room_id"]) == ("EG_1", "RM_1")
    assert "audio_recording_url" not in cells


@pytest.mark.parametrize("knows", [None, FakeLiveKit()])
def test_a_mistyped_file_is_refused_and_leaves_no_record(rig: Rig, knows: FakeLiveKit | None) -> None:
    rig.livekit = knows
    rig.bucket.add(KEY, modified=END)
    rig.refused(StackError, "nothing lies under calls/oen.mp4", key="calls/oen.mp4")
    assert rig.record() is None
    assert rig.erase(key=KEY).versions == 1


def test_what_was_recorded_as_erased_under_a_wrong_name_still_goes(rig: Rig) -> None:
    first = rig.erase_nothing()
    rig.bucket.add(KEY, modified=END)
    assert rig.erase(key=KEY) == first
    assert rig.keys() == {"erasures/EG_1.json"}


def test_a_file_other_than_livekits_is_not_touched(rig: Rig) -> None:
    rig.livekit = FakeLiveKit(info("EG_1"))
    rig.bucket.add(KEY, modified=END)
    rig.bucket.add("calls/two.mp4", modified=END)
    rig.refused(UsageError, "another file than LiveKit, which says calls/one.mp4", key="calls/two.mp4")
    assert rig.record() is None


def test_a_named_file_of_an_egress_without_one_is_not_touched(rig: Rig) -> None:
    rig.livekit = FakeLiveKit(info("EG_1", "", api.EgressStatus.EGRESS_FAILED))
    rig.bucket.add(KEY, modified=END)
    rig.refused(StackError, "left no file", key=KEY)


def test_a_named_file_without_a_link_needs_livekits_word(rig: Rig) -> None:
    rig.livekit = DeafLiveKit()
    rig.bucket.add(KEY, modified=END)
    rig.refused(StackError, "LiveKit cannot be asked whose file this is. Nothing was touched. ListEgress", key=KEY)


def test_a_linked_recording_goes_though_livekit_is_silent(rig: Rig) -> None:
    rig.livekit = DeafLiveKit()
    rig.seed("EG_1", rig.bucket.add(KEY, modified=END))
    assert rig.erase().versions == 1


@pytest.mark.parametrize("linked", [True, False])
def test_what_still_records_is_not_erased_by_its_name_or_link_either(rig: Rig, *, linked: bool) -> None:
    rig.livekit = FakeLiveKit(info("EG_1", status=api.EgressStatus.EGRESS_ACTIVE))
    version = rig.bucket.add(KEY, modified=END)
    if linked:
        rig.seed("EG_1", version)
    rig.refused(UnfinishedError, "still recording", **({} if linked else {"key": KEY}))


def test_a_link_that_came_after_the_plan_goes_too(rig: Rig) -> None:
    rig.livekit = FakeLiveKit(info("EG_1"))
    version = rig.bucket.add(KEY, modified=END)
    eraser = rig.eraser()
    plan = eraser.plan("EG_1", Wish())
    record = rig.seed("EG_1", version)
    assert eraser.do(plan, Wish()).state is State.DONE
    assert set(rig.server.read(record)) == KEPT


def test_what_came_after_all_was_done_goes_by_the_same_command(rig: Rig) -> None:
    rig.seed("EG_1", rig.bucket.add(KEY, modified=END))
    first = rig.erase()
    version = rig.bucket.add(KEY, modified=END)
    rig.now = NOW + timedelta(days=1)
    record = rig.seed("EG_1", version)
    rig.bucket.add("calls/another.mp4")
    plan = rig.eraser().plan("EG_1", Wish())
    assert "EG_1 was erased on 2026-11-24" in next(plan.lines(dry=True))
    assert plan.document(dry=True)["before"] == first.at
    assert rig.erase() == first == rig.record()
    assert rig.keys() == {"erasures/EG_1.json", "calls/another.mp4"}
    assert set(rig.server.read(record)) == KEPT
    assert rig.eraser().plan("EG_1", Wish()).done


def test_of_what_was_erased_livekits_word_finds_what_came_later(rig: Rig) -> None:
    rig.livekit = FakeLiveKit(info("EG_1"))
    rig.bucket.add(KEY, modified=END)
    first = rig.erase()
    rig.bucket.add(KEY, modified=END)
    assert rig.erase() == first
    assert rig.keys() == {"erasures/EG_1.json"}


@pytest.mark.parametrize("knows", [None, DeafLiveKit(), FakeLiveKit(info("EG_1", "", api.EgressStatus.EGRESS_FAILED))])
def test_done_stays_done_when_livekit_tells_nothing(rig: Rig, knows: Any) -> None:
    rig.seed("EG_1", rig.bucket.add(KEY, modified=END))
    first = rig.erase()
    rig.livekit = knows
    assert rig.erase() == first


@pytest.mark.parametrize("url", ["", "https://elsewhere.example/of-theirs"])
def test_a_conversation_whose_link_somebody_emptied_tells_nothing_either(rig: Rig, url: str) -> None:
    rig.livekit = FakeLiveKit(info("EG_1"))
    rig.bucket.add(KEY, modified=END)
    record = rig.seed("EG_1", "v0", audio_recording_url=url)
    rig.erase()
    after = rig.server.read(record)
    assert set(after) == KEPT | ({"audio_recording_url"} if url else set())
    assert after["recording_status"] == "Erased on request on 24 November 2026"


def test_a_conversation_that_plays_another_recording_keeps_what_it_says(rig: Rig) -> None:
    version = rig.bucket.add(KEY, modified=END)
    rig.seed("EG_1", version)
    record = rig.seed("EG_2", "v9", "calls/two.mp4", egress_id="EG_1")
    before = rig.server.read(record)
    rig.erase()
    assert rig.server.read(record) == before


@pytest.mark.parametrize(
    ("knows", "words"),
    [
        (FakeLiveKit(info("EG_1"), info("EG_2", status=api.EgressStatus.EGRESS_ACTIVE)), "another call too: EG_2"),
        (DeafLiveKit(), "LiveKit cannot be asked whose file"),
        (None, "1 unfinished uploads, which another call may be making"),
    ],
)
def test_an_upload_that_may_be_another_calls_is_not_aborted(rig: Rig, knows: Any, words: str) -> None:
    rig.livekit = knows
    rig.seed("EG_1", rig.bucket.add(KEY, modified=END))
    rig.bucket.uploads = {"u1": KEY}
    rig.refused(StackError, words)
    rig.refused(StackError, words, key=KEY)
    assert rig.bucket.uploads == {"u1": KEY}
