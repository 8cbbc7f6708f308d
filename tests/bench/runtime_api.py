"""Lambda's Runtime API on loopback: what AWS's runtime client asks for its next event and tells the answer.

Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import itertools
import json
import queue
import sys
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self, cast

_ROOT = "/2018-06-01/runtime/"


class FunctionError(Exception):
    """The function answered with an error; the text is its type and message."""


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """One event on its way; `answer` gets the function's JSON or a FunctionError."""

    id: str
    event: bytes
    answer: Future[Any]


class RuntimeApi:
    """Serves one function process; a `with` block starts and stops it."""

    def __init__(self, *, seconds: float = 60) -> None:
        """`seconds`: the function's deadline, and how long invoke() waits."""
        self._seconds = seconds
        self._waiting: queue.Queue[Invocation | None] = queue.Queue()
        self._under_way: dict[str, Invocation] = {}
        self._numbers = itertools.count(1)
        #: Done when the function asked for its first event: monotonic seconds, or why its start failed.
        self.ready: Future[float] = Future()
        self._http = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"api": self}))
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def address(self) -> str:
        """What AWS_LAMBDA_RUNTIME_API is to say."""
        return f"127.0.0.1:{self._http.server_port}"

    def invoke(self, event: object) -> Any:
        """Hand one event (JSON bytes, or what becomes JSON) to the function and return its answer; FunctionError."""
        return self.send(event).result(timeout=self._seconds)

    def send(self, event: object) -> Future[Any]:
        """As invoke(), without waiting."""
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        made = Invocation(id=f"00000000-0000-4000-8000-{next(self._numbers):012}", event=body, answer=Future())
        self._waiting.put(made)
        return made.answer

    def next(self) -> Invocation | None:
        """The event the function works on from now on; None when the server stops."""
        if not self.ready.done():
            self.ready.set_result(time.monotonic())
        taken = self._waiting.get()
        if taken is not None:
            self._under_way[taken.id] = taken
        return taken

    def deadline_ms(self) -> int:
        """When the event that is handed out now must be answered, in unix milliseconds."""
        return int((time.time() + self._seconds) * 1000)

    def answered(self, invocation_id: str, body: bytes) -> bool:
        """Whether an event of this id was under way."""
        known = self._under_way.pop(invocation_id, None)
        if known is not None:
            known.answer.set_result(json.loads(body or b"null"))
        return known is not None

    def failed(self, invocation_id: str, body: bytes) -> bool:
        """As answered(), for an error document."""
        known = self._under_way.pop(invocation_id, None)
        if known is not None:
            known.answer.set_exception(_error(body))
        return known is not None

    def start_failed(self, body: bytes) -> None:
        """The handler could not be imported."""
        if not self.ready.done():
            self.ready.set_exception(_error(body))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._waiting.put(None)
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """A function that was ended cuts its connection."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # pyright: ignore[reportArgumentType] - typeshed's private alias


class _Handler(BaseHTTPRequestHandler):
    """One connection of the runtime client, which keeps it open."""

    api: RuntimeApi
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body in one write

    def do_GET(self) -> None:
        if self.path != f"{_ROOT}invocation/next":
            return self._answer(404, b"{}")
        invocation = self.api.next()
        if invocation is None:
            self.close_connection = True
            return None
        return self._answer(
            200,
            invocation.event,
            {
                "Lambda-Runtime-Aws-Request-Id": invocation.id,
                "Lambda-Runtime-Deadline-Ms": str(self.api.deadline_ms()),
                "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:000000000000:function:bench",
                "Lambda-Runtime-Trace-Id": "Root=1-00000000-000000000000000000000000;Sampled=0",
            },
        )

    def do_POST(self) -> None:
        body = self._body()
        what = self.path.removeprefix(_ROOT).split("/")
        match what:
            case ["invocation", invocation_id, "response"]:
                known = self.api.answered(invocation_id, body)
            case ["invocation", invocation_id, "error"]:
                known = self.api.failed(invocation_id, body)
            case ["init", "error"]:
                self.api.start_failed(body)
                known = True
            case _:
                return self._answer(404, b"{}")
        return self._answer(202 if known else 400, b'{"status":"OK"}' if known else b"{}")

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts: list[bytes] = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        common = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        for name, value in (common | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's signature
        """Silent."""


def _error(body: bytes) -> FunctionError:
    try:
        told = cast("dict[str, Any]", json.loads(body))
    except ValueError:
        return FunctionError("the function failed and did not say how")
    return FunctionError(f"{told.get('errorType')}: {told.get('errorMessage')}")
