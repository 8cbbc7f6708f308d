"""Log lines and metrics: one JSON object a line, and of an error only its kind."""

from __future__ import annotations

import json
import time

import pytest

from infra.functions.errors import SettingsError
from infra.functions.function_url import Request, response
from infra.functions.log import fault, log, metric
from tests.unit.functions_support import SECRET, client_error


def test_one_line_of_json_whatever_is_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    log("info", "event", text="a\nb\u2028é", number=1, nothing=None)
    written = capsys.readouterr().out
    assert written.count("\n") == 1
    assert written.isascii()
    assert json.loads(written) == {
        "level": "info",
        "event": "event",
        "text": "a\nb\u2028é",
        "number": 1,
        "nothing": None,
    }


def test_metrics_are_in_cloudwatchs_format(capsys: pytest.CaptureFixture[str]) -> None:
    metric("fn", "dead", 2, reason="wrong_key")
    metric("fn", "delivered")
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    directive = first["_aws"]["CloudWatchMetrics"][0]
    assert directive == {
        "Namespace": "callrec",
        "Dimensions": [["function"], ["function", "reason"]],
        "Metrics": [{"Name": "dead", "Unit": "Count"}],
    }
    assert abs(first["_aws"]["Timestamp"] / 1000 - time.time()) < 60
    assert (first["function"], first["reason"], first["dead"]) == ("fn", "wrong_key", 2)
    assert second["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["function"]]
    assert (second["delivered"], "reason" in second) == (1, False)


@pytest.mark.parametrize("private", ["+41791234567", "RM_x1", "camille 5", "Camille", "", "x" * 41, "é"])
def test_what_looks_like_no_code_becomes_no_dimension(private: str, capsys: pytest.CaptureFixture[str]) -> None:
    metric("fn", "dead", reason=private)
    written = json.loads(capsys.readouterr().out)
    assert (written["reason"], written["dead"]) == ("other", 1)


def test_of_an_error_its_kind_is_logged_and_nothing_else() -> None:
    assert fault(RuntimeError(SECRET)) == "RuntimeError"
    assert fault(client_error("AccessDenied")) == "ClientError:AccessDenied"
    assert fault(client_error("a code with " + SECRET)) == "ClientError"
    assert fault(client_error("")) == "ClientError"
    assert fault(SettingsError("CALLREC_BUCKET", "a text", SECRET)) == "SettingsError:CALLREC_BUCKET"


def test_a_request_is_read_leniently_and_shows_no_content() -> None:
    request = Request.from_event({"headers": {"Authorization": SECRET, "A": 5, "a": 6}, "body": SECRET})
    assert (request.method, request.path, request.headers["a"]) == ("", "/", "5,6")
    assert SECRET not in repr(request)


def test_headers_of_a_response_can_be_added_to() -> None:
    made = response(200, "x", "text/plain", {"Allow": "GET"})
    assert made["headers"]["Allow"] == "GET"
    assert made["headers"]["X-Content-Type-Options"] == "nosniff"
