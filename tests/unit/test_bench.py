"""The benchmark's own parts: the Runtime API with AWS's client and a tiny handler, the clocks, and the document."""

from __future__ import annotations

import http.client
import json
import sys
from collections.abc import Generator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from tests.bench.deliver import busiest
from tests.bench.report import document
from tests.bench.row import Row, Target, ratio
from tests.bench.runtime_api import FunctionError, RuntimeApi

HANDLER = """
import os, time


def handler(event, context):
    if event == "fail":
        raise ValueError("on purpose")
    if event == "work":
        end = time.process_time() + 0.2
        while time.process_time() < end:
            pass
        return None
    if event == "grow":
        return len(b"x" * 50_000_000)
    print("seen")
    return {
        "event": event,
        "id": context.aws_request_id,
        "left": context.get_remaining_time_in_millis(),
        "name": os.environ["AWS_LAMBDA_FUNCTION_NAME"],
        "own": os.environ["OWN"],
    }
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("task")
    (made / "tiny.py").write_text(HANDLER)
    (made / "broken.py").write_text("raise RuntimeError('not today')")
    return made


@pytest.fixture(scope="module")
def running(folder: Path) -> Generator[Any]:
    with start(folder, "tiny.handler") as made:
        yield made


def start(folder: Path, handler: str) -> Any:
    if sys.platform != "linux":
        pytest.skip("AWS's runtime client is for Linux")
    import awslambdaric  # noqa: PLC0415  # for Linux only

    from tests.bench.function import function  # noqa: PLC0415  # asks Linux for its clocks

    libraries = Path(awslambdaric.__file__).parents[1]
    return function(handler, [folder, libraries], {"OWN": "x"}, log=folder / "log")


def test_events_go_in_and_answers_come_back(running: Any, folder: Path) -> None:
    answers = [running.invoke({"number": number, "text": "é\ud83d"}) for number in range(3)]
    assert [answer["event"]["number"] for answer in answers] == [0, 1, 2]
    assert answers[0]["event"]["text"] == "é\ud83d"
    assert len({answer["id"] for answer in answers}) == 3
    assert all(50_000 < answer["left"] <= 60_000 for answer in answers)
    assert {(answer["name"], answer["own"]) for answer in answers} == {("tiny", "x")}
    assert (folder / "log").read_text().count("seen") >= 3


def test_an_event_may_be_large(running: Any) -> None:
    assert running.invoke({"text": "x" * 1_000_000})["event"]["text"] == "x" * 1_000_000


def test_an_error_of_the_handler_is_told_and_the_next_event_is_answered(running: Any) -> None:
    with pytest.raises(FunctionError, match="ValueError: on purpose"):
        running.invoke("fail")
    assert running.invoke("again")["event"] == "again"


def test_a_handler_that_cannot_be_imported_is_told(folder: Path) -> None:
    with pytest.raises(FunctionError, match="not today"), start(folder, "broken.handler"):
        pass
    with pytest.raises(FunctionError, match="missing"), start(folder, "missing.handler"):
        pass


def test_nothing_is_compiled_for_the_next_start(running: Any, folder: Path) -> None:
    running.invoke({})
    assert not (folder / "__pycache__").exists()


def test_processor_time_and_memory_are_the_functions_own(running: Any) -> None:
    assert 0 < running.init_s < 60
    before = running.cpu_s()
    sum(range(3_000_000))  # ours does not count
    idle = running.cpu_s() - before
    running.invoke("work")
    assert idle < 0.1
    assert running.cpu_s() - before >= 0.2
    peak = running.peak_mb()
    assert running.invoke("grow") == 50_000_000
    assert peak < 200
    assert running.peak_mb() > peak + 40


def test_the_protocol_without_a_client() -> None:
    with RuntimeApi() as api:
        connection = http.client.HTTPConnection(api.address, timeout=60)

        def ask(method: str, path: str, body: Any = None, **more: Any) -> tuple[int, Any, bytes]:
            connection.request(method, f"/2018-06-01/runtime/{path}", body, **more)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()

        answers: list[Future[Any]] = [api.send({"n": 1}), api.send(b'{"n":2}'), api.send({"n": 3})]
        assert not api.ready.done()
        status, headers, body = ask("GET", "invocation/next")
        assert (status, json.loads(body)) == (200, {"n": 1})
        assert api.ready.done()
        assert int(headers["Lambda-Runtime-Deadline-Ms"]) > 0
        name = headers["Lambda-Runtime-Aws-Request-Id"]
        assert ask("POST", f"invocation/{name}/response", b'"done"')[0] == 202
        assert answers[0].result(timeout=60) == "done"
        assert ask("POST", f"invocation/{name}/response", b'"again"')[0] == 400
        second = ask("GET", "invocation/next")[1]["Lambda-Runtime-Aws-Request-Id"]
        assert ask("POST", f"invocation/{second}/response", iter([b'{"a":', b"2}"]), encode_chunked=True)[0] == 202
        assert answers[1].result(timeout=60) == {"a": 2}
        third = ask("GET", "invocation/next")[1]["Lambda-Runtime-Aws-Request-Id"]
        assert ask("POST", f"invocation/{third}/error", b'{"errorType":"A","errorMessage":"b"}')[0] == 202
        with pytest.raises(FunctionError, match="A: b"):
            answers[2].result(timeout=60)
        assert ask("POST", "init/error", b"no json")[0] == 202
        assert ask("GET", "nothing")[0] == ask("POST", "nothing")[0] == 404
        connection.close()


def test_the_busiest_second() -> None:
    assert busiest([0.0, 0.44, 0.88, 1.32]) == 3
    assert busiest([0.0, 0.5, 1.0, 1.5]) == 2
    assert busiest([0.0, 0.99, 1.0, 1.01, 1.98]) == 4


def test_a_row_is_judged_by_its_target() -> None:
    most, least = Target(bound=8), Target(bound=0.9, above=True)
    assert [Row(what="w", figure="f", value=value, target=most).verdict for value in (8.0, 8.01)] == ["pass", "miss"]
    assert [Row(what="w", figure="f", value=value, target=least).verdict for value in (0.9, 0.89)] == ["pass", "miss"]
    assert Row(what="w", figure="f", value=1.0).verdict == Row(what="w", figure="f", target=most).verdict == ""


@pytest.mark.parametrize(("figure", "base"), [(1.0, -9.7), (1.0, 0.0), (-1.0, 2.0)])
def test_what_noise_swallowed_is_no_ratio(figure: float, base: float) -> None:
    with pytest.raises(ValueError, match="measure again"):
        ratio(figure, base)
    assert ratio(3, 2) == 1.5


def test_the_document_holds_every_row_and_the_profiles() -> None:
    rows = [
        Row(what="a", figure="5 ms", against="2 ms", value=2.5, target=Target(bound=3)),
        Row(what="b", figure="1 MB"),
        Row(what="c", figure="9 ms", value=9, target=Target(bound=3), why="for a reason"),
    ]
    text = document(rows, {"receive": {"botocore": 31.4, "x": 2.0}, "play": {"y": 90.0}}, {"boto3": "1.2.3"})
    assert "| a | 5 ms | 2 ms | 2.50 | ≤ 3 | pass |" in text
    assert "| b | 1 MB |  |  |  |  |" in text
    assert "| c | 9 ms |  | 9.00 | ≤ 3 | miss |" in text
    assert "- c: for a reason." in text
    assert "- a:" not in text
    assert "boto3 1.2.3" in text
    assert text.index("| y |  | 90 |") < text.index("| botocore | 31 |  |") < text.index("| x | 2 |  |")
    assert "make bench" in text
