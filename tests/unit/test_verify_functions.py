"""A stopped, failed or missing function is found and named."""

from __future__ import annotations

from typing import Any

import pytest

from scripts.verify import functions
from scripts.verify.hop import Outcome, Result
from tests.unit.verify_support import FakeAws, FakeClient, assert_failed, deployment, refusal, tried

GOOD: dict[str, Any] = {
    "get_function_configuration": {"State": "Active", "LastUpdateStatus": "Successful"},
    "get_function_concurrency": {},
    "get_event_source_mapping": {"State": "Enabled"},
}
GONE = refusal("ResourceNotFoundException", "GetFunction")


def row(name: str, **changes: Any) -> Result:
    aws = FakeAws(clients={"lambda": FakeClient(**(GOOD | changes))})
    return tried(functions.hops(deployment(aws)), f"functions.{name}")


@pytest.mark.parametrize("name", ["receive", "deliver", "play", "reconcile", "mapping"])
def test_working_functions_hold(name: str) -> None:
    assert row(name).outcome is Outcome.OK


def test_a_limit_is_shown() -> None:
    assert (
        row("deliver", get_function_concurrency={"ReservedConcurrentExecutions": 5}).seen == "Active, at most 5 at once"
    )


@pytest.mark.parametrize("part", functions.PARTS)
def test_a_missing_function_is_named(part: str) -> None:
    assert_failed(row(part, get_function_configuration=GONE), f"no function callrec-unit-{part}")


def test_a_function_stopped_by_its_concurrency_is_named() -> None:
    result = row("deliver", get_function_concurrency={"ReservedConcurrentExecutions": 0})
    assert_failed(result, "callrec-unit-deliver is stopped")
    assert "delete-function-concurrency" in result.mend


@pytest.mark.parametrize(
    "state", [{"State": "Failed"}, {"State": "Pending"}, {"State": "Active", "LastUpdateStatus": "Failed"}]
)
def test_a_function_that_could_not_be_set_up_is_named(state: dict[str, str]) -> None:
    assert_failed(row("play", get_function_configuration=state), "callrec-unit-play is")


@pytest.mark.parametrize("state", ["Disabled", "Disabling", "Deleting"])
def test_a_stopped_mapping_is_named(state: str) -> None:
    result = row("mapping", get_event_source_mapping={"State": state})
    assert_failed(result, "callrec-unit-deliver is stopped")
    assert "mapping-uuid --enabled" in result.mend


def test_a_missing_mapping_is_named() -> None:
    assert_failed(row("mapping", get_event_source_mapping=GONE), "no queue feeds deliver")


@pytest.mark.parametrize(
    ("name", "call"), [("play", "get_function_configuration"), ("mapping", "get_event_source_mapping")]
)
def test_a_refusal_of_the_operators_credentials_is_no_missing_function(name: str, call: str) -> None:
    assert_failed(row(name, **{call: refusal("AccessDeniedException", "Get")}), "Get: AccessDeniedException")
