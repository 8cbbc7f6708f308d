"""The stand-ins' sockets: requests come in on loopback, answers go out. HTTP/1.1 with connections kept alive."""

from __future__ import annotations

import logging
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast

_LOG = logging.getLogger(__name__)
_LARGEST_BODY = 10 * 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """A request as it came: target with its query string, header names in lower case."""

    method: str
    target: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """What goes back; with `half` just half of it, and then the connection ends."""

    status: int
    content_type: str
    body: bytes = field(repr=False)
    half: bool = False


class HttpFront(ThreadingHTTPServer):
    """Serves 127.0.0.1 (port 0: a free one); one thread a connection, all of which `close` ends.

    `handle` answers None for a connection that is to close without an answer; `name` stands in the log.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, name: str, port: int, handle: Callable[[Call], Reply | None]) -> None:
        super().__init__(("127.0.0.1", port), _Connection)
        self.name = name
        self.handle = handle
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return self.server_port

    def close(self) -> None:
        """Stop listening and cut every connection, kept-alive ones too."""
        self.shutdown()
        self.server_close()
        with self._open_lock:
            for connection in self._open:
                _cut(connection)

    def process_request(self, request: object, client_address: object) -> None:
        """Note the connection, then serve it in a thread."""
        with self._open_lock:
            self._open.add(cast("socket.socket", request))
        super().process_request(request, client_address)  # pyright: ignore[reportArgumentType] - typeshed's private alias

    def shutdown_request(self, request: object) -> None:
        """Forget the connection and close it."""
        with self._open_lock:
            self._open.discard(cast("socket.socket", request))
        super().shutdown_request(request)  # pyright: ignore[reportArgumentType] - typeshed's private alias

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - socketserver's signature
        """A client that went away is normal; anything else is one line in the log, without contents."""
        error = sys.exception()
        if not isinstance(error, ConnectionError | TimeoutError):
            _LOG.error("a request to the %s stand-in failed: %s", self.name, type(error).__name__)


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: HttpFront  # pyright: ignore[reportIncompatibleVariableOverride] - it is only ever made by HttpFront

    def _serve(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isascii() or not length.isdigit() or int(length) > _LARGEST_BODY:
            self.send_error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            self.close_connection = True
            return
        call = Call(
            method=self.command,
            target=self.path,
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(int(length)),
        )
        self._send(self.server.handle(call))

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve  # noqa: N815 - http.server looks for these names

    def _send(self, reply: Reply | None) -> None:
        """The whole answer in one write; half of it, or nothing, ends the connection."""
        if reply is None:
            self.close_connection = True
            _cut(self.connection)
            return
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body[: len(reply.body) // 2] if reply.half else reply.body)
        if reply.half:
            self.close_connection = True
            _cut(self.connection)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's signature
        """Nothing: the journal is the log, and a request line may hold a token or a filter formula."""


def _cut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the client was faster
