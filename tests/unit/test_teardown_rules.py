"""Dispatch rules that record with the key of a stack that goes: put back first of all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from livekit import api

from scripts.configure.found import egress_of, with_egress, written
from scripts.configure.keeping import KEY
from scripts.local.livekit_server import Fault, LiveKitServer, Outcome
from tests.unit.configure_support import SETTINGS, MemoryKeeper, foreign, octets, rule, server, sip, stored
from tests.unit.test_teardown_command import Bench
from tests.unit.test_teardown_engine import FakeStack


class Stack(FakeStack):
    """One whose configuration can lose a key; it writes down when."""

    def remove_config(self, name: str) -> None:
        del self.config[name]
        self.events.append(f"forget {name}")


@pytest.fixture
def livekit() -> Iterator[LiveKitServer]:
    with server() as running:
        yield running


@pytest.fixture
def bench(livekit: LiveKitServer) -> Bench:
    """A stack that has configured one rule."""
    livekit.add_dispatch_rule(rule("a"))
    keeper = MemoryKeeper()
    part = sip(livekit, keeper)
    part.attach(part.attaching(SETTINGS, oust=False))
    stack = Stack()
    stack.config |= {
        "callrec:livekitUrl": livekit.url,
        "callrec:livekitApiKey": livekit.api_key,
        "callrec:livekitApiSecret": livekit.api_secret,
        KEY: written(keeper.load()),
    }
    livekit.journal.clear()
    return Bench(stack)


def test_a_dry_run_says_what_becomes_of_the_rules(bench: Bench, livekit: LiveKitServer) -> None:
    done = bench.run()
    assert (done.exit_code, "dispatch rule SDR_a: put back as it was found, first of all" in done.stdout) == (0, True)
    assert json.loads(bench.run("--json").stdout)["rules"][0]["step"] == "restore"
    assert livekit.journal.count("UpdateSIPDispatchRule") == 0
    assert bench.untouched


def test_rules_are_put_back_before_anything_goes(bench: Bench, livekit: LiveKitServer) -> None:
    done = bench.run("--yes")
    assert done.exit_code == 0
    assert octets(stored(livekit, "SDR_a")) == octets(rule("a"))
    assert bench.stack.events == [f"forget {KEY}", "destroy"]


def test_while_a_rule_cannot_be_put_back_nothing_goes(bench: Bench, livekit: LiveKitServer) -> None:
    livekit.faults.add(Fault(outcome=Outcome.STATUS, status=503, methods=frozenset({"UpdateSIPDispatchRule"})))
    done = bench.run("--yes")
    assert (done.exit_code, "rule SDR_a: UpdateSIPDispatchRule: 503" in done.stderr) == (1, True)
    assert bench.stack.events == []
    assert bench.run("--yes").exit_code == 0


def test_a_rule_that_somebody_changed_is_left_and_does_not_keep_the_stack(bench: Bench, livekit: LiveKitServer) -> None:
    livekit.add_dispatch_rule(with_egress(stored(livekit, "SDR_a"), foreign()))
    done = bench.run("--yes")
    assert (done.exit_code, "somebody changed its recording" in done.stdout) == (0, True)
    assert egress_of(stored(livekit, "SDR_a")) == foreign()


def test_without_livekit_they_stay_as_they_are(bench: Bench, livekit: LiveKitServer) -> None:
    assert bench.run("--yes", "--ignore-livekit").exit_code == 0
    assert livekit.journal.count() == 0


def test_a_stack_that_configured_nothing_asks_for_no_rules(bench: Bench, livekit: LiveKitServer) -> None:
    stack: Any = bench.stack
    del stack.config[KEY]
    bench.run()
    assert set(livekit.journal.counts()) == {"ListEgress"}
    assert isinstance(stored(livekit, "SDR_a"), api.SIPDispatchRuleInfo)
