"""Having the function run: what it is asked, and each way in which it may not run, with the command that helps."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from scripts.aws_access import AwsAccess, Key
from scripts.errors import StackError
from scripts.reconcile.run import PATIENCE_SECONDS, Reconciler, run_all
from scripts.reconcile.span import Piece
from tests.unit.reconcile_support import MISSING, Reply, answer, stack, throttled
from tests.unit.verify_support import refusal

HOUR = Piece(since=3600, until=0)
LOG = "aws logs tail /aws/lambda/callrec-unit-reconcile --since 20m"


def refused(reply: Reply) -> str:
    deployment, _ = stack(reply)
    with pytest.raises(StackError) as raised:
        Reconciler.of(deployment).run(HOUR, dry_run=False)
    return str(raised.value)


@pytest.mark.parametrize("dry_run", [True, False])
def test_it_is_asked_by_hand_for_one_piece_and_waited_for(dry_run: bool) -> None:  # noqa: FBT001
    deployment, aws = stack(lambda _: answer(missing=[MISSING]))
    found = Reconciler.of(deployment).run(Piece(since=172_800, until=86_400), dry_run=dry_run)
    assert aws.asked == [{"by_hand": True, "since_seconds": 172_800, "until_seconds": 86_400, "dry_run": dry_run}]
    assert aws.patience == PATIENCE_SECONDS == 900
    assert found.lists["missing"] == [MISSING]


def test_the_client_waits_and_never_asks_twice() -> None:
    access = AwsAccess(
        region="eu-central-1", key=Key(access_key_id="a", secret_access_key="s"), endpoint_url="http://127.0.0.1:9"
    )
    settings: Any = access.invoker(900).meta.config
    assert settings.read_timeout == 900
    assert settings.retries["total_max_attempts"] == 1
    assert settings.tcp_keepalive is True


def test_a_missing_function_is_named_with_what_makes_it() -> None:
    said = refused(lambda _: refusal("ResourceNotFoundException", "Invoke"))
    assert "no function callrec-unit-reconcile" in said
    assert "pulumi up --refresh --stack unit" in said


@pytest.mark.parametrize("reason", ["ReservedFunctionConcurrentInvocationLimitExceeded", None])
def test_a_function_that_may_not_run_now_is_told_from_a_broken_one(reason: str | None) -> None:
    said = refused(lambda _: throttled(reason))
    assert (reason or "TooManyRequestsException") in said
    assert "callrec verify --stack unit" in said


def test_a_refusal_of_the_operators_rights_names_the_call() -> None:
    said = refused(lambda _: refusal("AccessDeniedException", "Invoke"))
    assert "AWS refused Invoke (AccessDeniedException)" in said
    assert "aws sts get-caller-identity" in said


def test_an_answer_that_does_not_come_names_the_log() -> None:
    said = refused(lambda _: ReadTimeoutError(endpoint_url="https://lambda"))
    assert "did not answer within 900 s" in said
    assert LOG in said


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"errorType": "KeyError", "errorMessage": "'patsecret'"}, "broke off (KeyError)"),
        ({"errorMessage": "2026 1-2 Task timed out after 840.00 seconds"}, "ran out of time; take a shorter --since"),
        (b"\xff", "no reason given"),
        (b"[]", "no reason given"),
    ],
)
def test_a_function_that_breaks_off_names_the_kind_of_error_alone(content: Any, words: str) -> None:
    said = refused(lambda _: (content, "Unhandled"))
    assert words in said
    assert LOG in said
    assert "patsecret" not in said


@pytest.mark.parametrize(("content", "words"), [(b"{", "another version"), ({"problems": ["fault"]}, "fault")])
def test_an_answer_that_says_nothing_is_no_empty_one(content: Any, words: str) -> None:
    said = refused(lambda _: content)
    assert words in said
    assert LOG in said


def test_each_piece_is_one_run_in_its_order() -> None:
    deployment, aws = stack()
    todo = [Piece(since=2, until=1), Piece(since=3, until=2)]
    started: list[Piece] = []
    assert len(run_all(Reconciler.of(deployment), todo, dry_run=False, on_start=started.append)) == 2
    assert started == todo
    assert [(call["since_seconds"], call["until_seconds"]) for call in aws.asked] == [(2, 1), (3, 2)]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (refusal("ResourceNotFoundException", "Invoke"), "there is no function"),
        (EndpointConnectionError(endpoint_url="https://lambda"), "AWS did not answer (EndpointConnectionError)"),
    ],
)
def test_a_run_that_fails_says_how_many_were_done(error: Exception, words: str) -> None:
    deployment, _ = stack(lambda asked: error if asked["since_seconds"] == 3 else answer())
    todo = [Piece(since=1, until=0), Piece(since=2, until=1), Piece(since=3, until=2)]
    with pytest.raises(StackError) as raised:
        run_all(Reconciler.of(deployment), todo, dry_run=False, on_start=lambda _: None)
    assert words in str(raised.value)
    assert "2 of 3 days were done before" in str(raised.value)


def test_aws_out_of_reach_is_left_to_the_command() -> None:
    deployment, _ = stack(lambda _: EndpointConnectionError(endpoint_url="https://lambda"))
    with pytest.raises(EndpointConnectionError):
        run_all(Reconciler.of(deployment), [HOUR], dry_run=False, on_start=lambda _: None)


def test_the_payload_is_json() -> None:
    deployment, aws = stack()
    Reconciler.of(deployment).run(HOUR, dry_run=False)
    assert json.dumps(aws.asked[0])
