"""A run: order, needs, and the removal that comes whatever happens; also a real SIGINT to a real process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import requests
from botocore.exceptions import EndpointConnectionError

from scripts.errors import StackError
from scripts.interruption import Interrupted, interruptible, uninterruptible
from scripts.verify import run as running
from scripts.verify.cleanup import Cleanup
from scripts.verify.hop import Failed, Hop, Outcome, Result, Skipped, attempt, run_all
from tests.unit.verify_support import FakeAws, FakeClient, assert_failed, deployment, refusal


def hop(name: str, error: BaseException | None = None, needs: tuple[str, ...] = ()) -> Hop:
    def probe() -> str:
        if error is not None:
            raise error
        return f"saw {name}"

    return Hop(id=name, title=name.title(), probe=probe, needs=needs)


def outcomes(*hops: Hop) -> dict[str, Result]:
    found = run_all(hops, on_start=lambda _: None, on_result=lambda _: None)
    return {result.id: result for result in found}


FAILED = Failed("seen", cause="cause", mend="mend")


def test_a_failure_stops_only_what_needs_it() -> None:
    found = outcomes(hop("a", FAILED), hop("b", needs=("a",)), hop("c", needs=("b",)), hop("d"))
    assert [result.outcome for result in found.values()] == [
        Outcome.FAILED,
        Outcome.SKIPPED,
        Outcome.SKIPPED,
        Outcome.OK,
    ]
    assert found["b"].seen == "“A” failed"
    assert found["c"].seen == "“B” was not tried"


def test_what_is_skipped_is_no_failure_but_what_needs_it_is_not_tried() -> None:
    found = outcomes(hop("a", Skipped("not asked for")), hop("b", needs=("a",)))
    assert found["a"].outcome is Outcome.SKIPPED
    assert found["a"].seen == "not asked for"
    assert found["b"].seen == "“A” was not tried"


def test_results_are_told_as_they_come() -> None:
    told: list[str] = []
    run_all(
        [hop("a"), hop("b", needs=("a",))],
        on_start=lambda hop: told.append(f"start {hop.id}"),
        on_result=lambda result: told.append(f"end {result.id}"),
    )
    assert told == ["start a", "end a", "start b", "end b"]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (refusal("AccessDenied", "GetX"), "GetX: AccessDenied"),
        (EndpointConnectionError(endpoint_url="https://secret"), "AWS did not answer (EndpointConnectionError)"),
        (requests.ConnectionError("https://play/r/secret"), "no usable answer (ConnectionError)"),
        (ZeroDivisionError("secret"), "unexpected ZeroDivisionError"),
    ],
)
def test_any_fault_of_a_probe_is_a_failed_row_without_its_text(error: Exception, words: str) -> None:
    result = attempt(hop("a", error))
    assert_failed(result, words)
    assert "secret" not in str(result)


def test_time_is_measured() -> None:
    slow = Hop(id="a", title="A", probe=lambda: str(threading.Event().wait(0.03)))
    began = time.monotonic()
    told = attempt(slow).ms
    assert 25 <= told <= (time.monotonic() - began) * 1000 + 1


class Bench:
    """A run whose hops and removal are the test's."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *hops: Hop, removal: Exception | None = None) -> None:
        self.removals: list[bool] = []
        self.results: list[Result] = []
        self.links: list[str] = []
        monkeypatch.setattr(running, "plan", lambda *_: list(hops))

        def everything(_: Cleanup, *, waiting: bool) -> str:
            self.removals.append(waiting)
            if removal is not None:
                raise removal
            return "removed"

        monkeypatch.setattr(Cleanup, "everything", everything)

    def run(self, head: Any = None) -> list[Result]:
        aws = FakeAws(clients={"s3": FakeClient(head_bucket=head)})
        return running.run(deployment(aws), on_result=self.results.append)


def test_the_removal_is_the_last_row(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch, hop("a"), hop("b", FAILED))
    results = bench.run()
    assert [result.id for result in results] == ["a", "b", "cleanup.after"]
    assert results == bench.results
    assert bench.removals == [True]  # nothing was delivered: the queue may hold a probe


@pytest.mark.parametrize("error", [Interrupted("SIGINT"), KeyboardInterrupt(), SystemExit(3)])
def test_the_removal_comes_although_the_run_ends(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    bench = Bench(monkeypatch, hop("a"), hop("b", error), hop("c"))
    with pytest.raises(type(error)):
        bench.run()
    assert [result.id for result in bench.results] == ["a", "cleanup.after"]


def test_a_removal_that_fails_is_a_failed_row(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch, hop("a"), removal=Failed("could not remove: x", cause="c", mend="m"))
    assert_failed(bench.run()[-1], "could not remove: x")


def test_a_refusal_of_the_bucket_is_for_its_rows_to_explain(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(Bench(monkeypatch, hop("a")).run(refusal("404"))) == 2


def test_an_aws_that_cannot_be_reached_ends_it_before_anything_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch, hop("a"))
    with pytest.raises(StackError, match="EndpointConnectionError"):
        bench.run(EndpointConnectionError(endpoint_url="https://x"))
    assert bench.removals == []


def test_the_whole_plan_has_ids_of_its_own_and_needs_that_come_before() -> None:
    aws = FakeAws(clients={"secretsmanager": FakeClient()})
    stack = deployment(aws)
    probe = running.Probe.new(stack.outputs.prefix)
    table = running.Conversations.of(stack)
    trip = running.Journey.of(stack, probe, table)
    hops = running.plan(stack, probe, table, trip, Cleanup.of(stack, table))
    seen: set[str] = set()
    for item in hops:
        assert item.id not in seen
        assert set(item.needs) <= seen, item
        assert item.id.count(".") == 1
        seen.add(item.id)
    assert len(hops) > 45
    assert len({item.title for item in hops}) == len(hops)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_interrupts_and_handlers_are_put_back(number: signal.Signals) -> None:
    before = signal.getsignal(number)

    def signalled() -> None:
        with interruptible():
            os.kill(os.getpid(), number)
            threading.Event().wait(60)

    with pytest.raises(Interrupted, match=number.name):
        signalled()
    assert signal.getsignal(number) is before


def test_signals_wait_while_something_is_put_away() -> None:
    done = False
    with interruptible():
        with uninterruptible():
            os.kill(os.getpid(), signal.SIGTERM)
            threading.Event().wait(0.05)
            done = True
        assert done


def test_outside_the_main_thread_signals_are_left_alone() -> None:
    found: list[Any] = []

    def other() -> None:
        with interruptible():
            found.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert found == [signal.getsignal(signal.SIGTERM)]


PROGRAM = """
    import sys, time
    from scripts.verify import run as running
    from scripts.verify.cleanup import Cleanup
    from scripts.verify.hop import Hop
    from tests.unit.verify_support import FakeAws, FakeClient, deployment

    def wait():
        print("waiting", flush=True)
        time.sleep(60)
        return "never"

    def everything(self, *, waiting):
        print("removing", flush=True)
        sys.stdin.readline()  # comes after a second signal
        print("removed", flush=True)
        return "removed"

    running.plan = lambda *_: [Hop(id="a.b", title="waits", probe=wait)]
    Cleanup.everything = everything
    stack = deployment(FakeAws(clients={"s3": FakeClient(head_bucket={})}))
    try:
        running.run(stack, on_result=lambda result: print(result.id, result.outcome, flush=True))
    except KeyboardInterrupt:
        sys.exit(2)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_real_process_removes_its_probes_when_it_is_signalled_twice(number: signal.Signals) -> None:
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-c", textwrap.dedent(PROGRAM)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=root, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        process.send_signal(number)
        assert process.stdout.readline() == "removing\n"
        process.send_signal(number)
        process.stdin.write("\n")
        process.stdin.flush()
        rest = process.stdout.read()
        code = process.wait(60)
    assert rest == "removed\ncleanup.after ok\n"
    assert code == 2
