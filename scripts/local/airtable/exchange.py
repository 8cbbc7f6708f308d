"""A request and its answer, without any HTTP library in sight."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import cast
from urllib.parse import parse_qsl, unquote, urlsplit

from . import errors
from .json_value import Json


class Kind(StrEnum):
    """What a request is for; requests are counted, and faults chosen, by it."""

    LIST = "list"
    GET = "get"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    SCHEMA = "schema"
    BASES = "bases"
    WHOAMI = "whoami"
    OTHER = "other"


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request as it came: target with its query string, header names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(default=b"", repr=False)

    @cached_property
    def path(self) -> str:
        """The path as sent, still percent-encoded."""
        return urlsplit(self.target).path

    @cached_property
    def segments(self) -> tuple[str, ...]:
        """The path's decoded parts; a table name may hold an encoded slash."""
        return tuple(unquote(part) for part in self.path.strip("/").split("/"))

    @cached_property
    def query(self) -> list[tuple[str, str]]:
        """The query string's pairs in order."""
        return parse_qsl(urlsplit(self.target).query, keep_blank_values=True)

    def json_object(self) -> dict[str, Json]:
        """The body as a JSON object, an empty body as an empty one; 400 unless it is JSON, 422 for other JSON."""
        if not self.body:
            return {}
        try:
            value = cast("Json", json.loads(self.body))
        except (ValueError, RecursionError):
            raise errors.unreadable_body() from None
        if not isinstance(value, dict):
            raise errors.invalid_request()
        return value


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What goes back: a status and a JSON body."""

    status: int
    body: Mapping[str, Json] = field(repr=False)

    def encoded(self) -> bytes:
        """The body's bytes."""
        return json.dumps(self.body, allow_nan=False).encode()


def ok(body: Mapping[str, Json]) -> Answer:
    """A success."""
    return Answer(status=200, body=body)


def refused(refusal: errors.AirtableRefusal) -> Answer:
    """A refusal as an answer."""
    return Answer(status=refusal.status, body=refusal.body)
