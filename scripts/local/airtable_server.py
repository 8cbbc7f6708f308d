"""The stand-in for api.airtable.com: real HTTP on 127.0.0.1, for the local stack and tests only.

    with AirtableServer() as airtable:
        record_id = airtable.seed({"room_name": "camille"}, created="2026-11-24T00:00:35.000Z")
        table = pyairtable.Api(airtable.token, endpoint_url=airtable.url).table(airtable.base_id, airtable.table)

As a process of its own: `python -m scripts.local.airtable_server CREDENTIALS.json --port-file F`.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self, cast

from .airtable.access import ALL_SCOPES, Scope
from .airtable.conversations import conversations_table
from .airtable.faults import Fault, Outcome
from .airtable.http_front import HttpFront
from .airtable.ids import new_id
from .airtable.json_value import Json
from .airtable.schema import Field, field_of
from .airtable.standin import Standin
from .airtable.table import Table

__all__ = [
    "ALL_SCOPES",
    "AirtableServer",
    "Fault",
    "Field",
    "Outcome",
    "Scope",
    "Table",
    "conversations_table",
    "field_of",
]

_PRIVATE = stat.S_IRWXG | stat.S_IRWXO
_LOOK_EVERY_SECONDS = 0.5


class CredentialsError(Exception):
    """The credentials file cannot be used; the message says what to change."""


class AirtableServer(Standin):
    """A stand-in that listens: `start()` and `stop()`, or a `with` block."""

    def __init__(
        self,
        *,
        token: str | None = None,
        admin_token: str | None = None,
        base_id: str | None = None,
        tables: Iterable[Table] | None = None,
        port: int = 0,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.token = token or f"pat{new_id('')}.{new_id('')}"
        self.admin_token = admin_token or new_id("adm")
        super().__init__(
            token=self.token,
            admin_token=self.admin_token,
            base_id=base_id or new_id("app"),
            tables=[conversations_table()] if tables is None else tables,
            now=now,
            clock=clock,
        )
        self._front = HttpFront(port, self.handle)
        self._thread = threading.Thread(target=self._front.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def url(self) -> str:
        """What pyairtable takes as `endpoint_url`."""
        return f"http://127.0.0.1:{self._front.port}"

    @property
    def base_id(self) -> str:
        """The id of the first base."""
        return self.base.id

    @property
    def table(self) -> str:
        """The name of the first table."""
        return self.base.tables[0].name

    @property
    def table_id(self) -> str:
        """The id of the first table."""
        return self.base.tables[0].id

    def start(self) -> Self:
        """Answer from now on."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop listening, end delays and connections; harmless when repeated."""
        if self.stopping.is_set():
            return
        self.stopping.set()
        self._front.close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def read_credentials(path: Path) -> dict[str, str]:
    """The keys token, admin_token, base_id and table of a JSON file that only its owner may read."""
    try:
        mode, text = path.stat().st_mode, path.read_text(encoding="utf-8")
        given = cast("Json", json.loads(text))
    except OSError as error:
        raise CredentialsError(f"{path}: {error.strerror}") from None
    except ValueError:
        raise CredentialsError(f"{path}: it is not JSON") from None
    if mode & _PRIVATE:
        raise CredentialsError(f"{path}: others may read it ({mode & 0o777:o}); run: chmod 600 {path}")
    if not isinstance(given, dict) or not isinstance(given.get("token"), str):
        raise CredentialsError(f'{path}: it must be {{"token": …}}, with admin_token, base_id and table as you like')
    known = ("token", "admin_token", "base_id", "table")
    return {key: value for key in known if isinstance(value := given.get(key), str)}


def serve(
    credentials: dict[str, str], *, port: int, port_file: Path, stop: threading.Event, parent: int | None
) -> None:
    """Serve until `stop` is set or the process `parent` is no longer the parent; says where in `port_file`."""
    table = conversations_table(name=credentials["table"]) if "table" in credentials else conversations_table()
    with AirtableServer(
        token=credentials["token"],
        admin_token=credentials.get("admin_token"),
        base_id=credentials.get("base_id"),
        tables=[table],
        port=port,
    ) as server:
        _announce(server, port_file)
        while not stop.wait(_LOOK_EVERY_SECONDS):
            if parent is not None and os.getppid() != parent:
                return


def _announce(server: AirtableServer, port_file: Path) -> None:
    """Written beside and moved in place, so that nobody reads half of it; holds no secret."""
    where = {"url": server.url, "base_id": server.base_id, "table": server.table, "table_id": server.table_id}
    draft = port_file.with_name(f"{port_file.name}.new")
    draft.write_text(json.dumps({**where, "pid": os.getpid()}), encoding="utf-8")
    draft.replace(port_file)


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT. Exit code 0, 2 when it could not start."""
    parser = argparse.ArgumentParser(prog="airtable_server", description="Stand-in for api.airtable.com on 127.0.0.1.")
    parser.add_argument("credentials", type=Path, help="JSON file (mode 600): token, admin_token, base_id, table")
    parser.add_argument("--port", type=int, default=0, help="port to listen on (default: a free one)")
    parser.add_argument("--port-file", type=Path, required=True, help="where to write url, base_id, table as JSON")
    parser.add_argument("--with-parent", action="store_true", help="stop when the parent process ends")
    options = parser.parse_args(arguments)
    stop = threading.Event()

    def stop_on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop_on_signal)
    try:
        credentials = read_credentials(options.credentials)
        parent = os.getppid() if options.with_parent else None
        serve(credentials, port=options.port, port_file=options.port_file, stop=stop, parent=parent)
    except (CredentialsError, OSError, ValueError) as error:
        print(f"the Airtable stand-in cannot start: {error}", file=sys.stderr)  # noqa: T201 - a command's own message
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
