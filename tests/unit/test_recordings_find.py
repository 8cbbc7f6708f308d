"""Finding a recording's links, with the Airtable stand-in answering over HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from infra.functions.links import Links
from scripts.errors import StackError
from scripts.local.airtable_server import AirtableServer, Fault, Outcome, conversations_table
from scripts.recordings.conversations import TRIES, patient
from scripts.recordings.find import Shelf
from tests.unit.functions_airtable import airtable_settings
from tests.unit.functions_support import Clock, recording

OLD, NEW = "an old signing key of at least 32 bytes", "the signing key of at least 32 bytes long"
DAY = 86_400


@pytest.fixture(params=[(), ("egress_id",)], ids=["with egress ids", "without"])
def server(request: pytest.FixtureRequest) -> Iterator[AirtableServer]:
    with AirtableServer(tables=[conversations_table(without=request.param)]) as running:
        yield running


def url(egress_id: str, *, key: str = NEW) -> str:
    made = recording(egress_id=egress_id, key=f"calls/{egress_id}.mp4")
    return "https://play.example/r/" + Links([key]).issue(made, "version1", lifetime_s=DAY)


def seed(server: AirtableServer, egress_id: str, link: str, listed: str = "") -> str:
    cells = {"room_name": "camille", "audio_recording_url": link, "audio_recordings": listed, "egress_id": egress_id}
    known = {column.name for column in server.base.tables[0].columns.values()}
    return server.seed({name: value for name, value in cells.items() if name in known and value})


class Shelved:
    """A shelf whose waiting only moves its clock."""

    def __init__(self, server: AirtableServer) -> None:
        self.clock, self.told = Clock(), list[str]()
        settings = airtable_settings(server, interval_s=2.0)
        table = patient(settings, self.told.append, self.clock, self._sleep)
        table.airtable.use_token(server.token)
        self.shelf = Shelf(table=table, links=Links([OLD, NEW]), tell=self.told.append)

    def _sleep(self, seconds: float) -> None:
        self.clock.now += seconds


def test_an_egress_is_found_wherever_its_links_stand(server: AirtableServer) -> None:
    own = seed(server, "EG_a", url("EG_a"))
    longer = seed(server, "EG_b", url("EG_b"), f"{url('EG_a', key=OLD)}\n{url('EG_b')}")
    seed(server, "EG_c", "https://elsewhere.example/r/nothing-of-ours")
    found = Shelved(server).shelf.egress("EG_a", thorough=True)
    assert {(kept.record_id, kept.listed) for kept in found} == {(own, False), (longer, True)}
    assert {(kept.link.key, kept.link.version) for kept in found} == {("calls/EG_a.mp4", "version1")}
    assert {kept.record_id for kept in Shelved(server).shelf.egress("EG_a")} >= {own}
    assert not Shelved(server).shelf.egress("EG_nowhere")


def test_a_link_that_only_a_list_holds_is_found_too(server: AirtableServer) -> None:
    record = seed(server, "EG_b", url("EG_b"), f"{url('EG_a')}\n{url('EG_b')}")
    [kept] = Shelved(server).shelf.egress("EG_a")
    assert (kept.record_id, kept.listed) == (record, True)


def test_a_conversation_is_found_by_its_id(server: AirtableServer) -> None:
    record = seed(server, "EG_a", url("EG_a"))
    shelf = Shelved(server).shelf
    shown = shelf.record(record)
    assert shown is not None
    assert [kept.link.egress_id for kept in shown.links] == ["EG_a"]
    assert shelf.record("recNOWHERE0000000") is None


def test_every_conversation_with_a_link_of_ours_is_read_at_a_pace_beside_deliver(server: AirtableServer) -> None:
    count = 250
    for number in range(count):
        seed(server, f"EG_{number}", url(f"EG_{number}"))
        server.seed({"room_name": "camille"})
    shelved = Shelved(server)
    began = shelved.clock.now
    pages = list(shelved.shelf.everything())
    assert sum(map(len, pages)) == count
    assert shelved.shelf.table.airtable.requests == 1 + len(pages) == 4
    assert shelved.clock.now - began == pytest.approx(2.0 * shelved.shelf.table.airtable.requests)


def test_a_lockout_is_waited_for_and_said(server: AirtableServer) -> None:
    record = seed(server, "EG_a", url("EG_a"))
    server.faults.add(Fault(outcome=Outcome.STATUS, status=429, times=2))
    shelved = Shelved(server)
    assert shelved.shelf.record(record) is not None
    assert any("again in 30 s" in line for line in shelved.told)


def test_what_does_not_pass_is_an_error_in_words(server: AirtableServer) -> None:
    server.faults.add(Fault(outcome=Outcome.STATUS, status=503, times=TRIES))
    with pytest.raises(StackError, match=r"^Airtable: .*503.*callrec verify"):
        Shelved(server).shelf.record("rec0000000000000a")
