"""A request and its answer, without any HTTP library in sight."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

from .errors import LiveKitRefusal


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request as it came: target with its query string (which may hold a token), header names in lower case."""

    method: str
    target: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(default=b"", repr=False)

    @cached_property
    def path(self) -> str:
        """The path; a doubled slash at its begin counts as one, as livekit-server has it."""
        path = urlsplit("http://x" + self.target).path
        return path[1:] if path.startswith("//") else path

    @property
    def query_token(self) -> str:
        """The token of `?access_token=…`, "" without one."""
        return parse_qs(urlsplit("http://x" + self.target).query).get("access_token", [""])[0]

    @property
    def content_type(self) -> str:
        """The content type without its parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def json_object(self) -> dict[str, Any]:
        """The body as a JSON object; ValueError for anything else."""
        value: Any = json.loads(self.body or b"{}")
        if not isinstance(value, dict):
            raise ValueError("the body is a JSON object")  # noqa: TRY004 - one kind of error for every wrong body
        return cast("dict[str, Any]", value)


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What goes back; `code` is Twirp's, None for a success and for plain text."""

    status: int
    content_type: str
    body: bytes = field(repr=False)
    code: str | None = None


def refused(refusal: LiveKitRefusal) -> Answer:
    """A refusal as an answer."""
    return Answer(status=refusal.status, content_type=refusal.content_type, body=refusal.body, code=refusal.code)


def json_answer(value: Mapping[str, Any], status: int = 200) -> Answer:
    """JSON as an answer."""
    return Answer(status=status, content_type="application/json", body=json.dumps(value).encode())
