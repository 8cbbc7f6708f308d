"""A way to the local AWS that can be broken: it passes requests on, or fails them in one of a few ways."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from scripts.aws_access import AwsAccess


class Trouble(StrEnum):
    """What happens to a request."""

    NONE = "none"
    ERROR = "answers 500"
    HELD = "does not answer"
    CLOSED = "closes the connection"
    HALF = "breaks off its answer"


class Proxy:
    """Listens for one service. `trouble` may be changed at any time; `asked` counts the requests."""

    def __init__(self, aws: AwsAccess) -> None:
        self.trouble = Trouble.NONE
        self.asked = 0
        self._stopping = threading.Event()
        place, trust = urlsplit(aws.endpoint_url or ""), ssl.create_default_context(cafile=str(aws.ca_bundle))
        proxy = self

        class Connection(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                proxy.asked += 1
                trouble = proxy.trouble
                if trouble is Trouble.HELD:
                    proxy._stopping.wait(30)
                if trouble in (Trouble.HELD, Trouble.CLOSED):
                    self._cut()
                elif trouble is Trouble.ERROR:
                    self._send(500, {"Content-Type": "application/x-amz-json-1.0"}, b"{}")
                else:
                    self._pass_on(body, half=trouble is Trouble.HALF)

            do_GET = do_POST = do_PUT = do_HEAD = _serve  # noqa: N815 - http.server looks for these names

            def _pass_on(self, body: bytes, *, half: bool) -> None:
                onward = http.client.HTTPSConnection(place.hostname or "", place.port, context=trust, timeout=30)
                onward.request(self.command, self.path, body, dict(self.headers))
                answer = onward.getresponse()
                content = answer.read()
                onward.close()
                kept = {name: value for name, value in answer.getheaders() if name.lower() not in _OWN}
                self._send(answer.status, kept, content, half=half)

            def _send(self, status: int, headers: dict[str, str], content: bytes, *, half: bool = False) -> None:
                self.send_response(status)
                for name, value in (headers | {"Content-Length": str(len(content))}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content[: len(content) // 2] if half else content)
                if half:
                    self._cut()

            def _cut(self) -> None:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except OSError:  # whoever asked has gone, as somebody does whom we let wait
                    self.close_connection = True

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's signature
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Connection)
        self._server.block_on_close = False
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """What boto3 takes as the service's endpoint."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()


_OWN = frozenset({"content-length", "transfer-encoding", "connection", "date", "server"})
