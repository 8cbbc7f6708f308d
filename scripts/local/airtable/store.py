"""Bases with their tables, and the one lock around them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from . import errors
from .ids import is_id
from .table import Table


@dataclass(kw_only=True, slots=True)
class Base:
    """A base: its tables in order."""

    id: str
    name: str
    tables: list[Table] = field(default_factory=list[Table])

    def table(self, name_or_id: str) -> Table:
        """The table of that name or id; without one the 403 that Airtable answers."""
        for table in self.tables:
            if name_or_id in (table.name, table.id):
                return table
        raise errors.no_permission_or_model()


class Store:
    """All bases. Hold `lock` around every use; `now` tells the wall clock (aware)."""

    def __init__(self, *, now: Callable[[], datetime]) -> None:
        self.lock = threading.RLock()
        self.now = now
        self.bases: dict[str, Base] = {}

    def base(self, base_id: str) -> Base:
        """The base of that id: 404 for what has not the shape of an id, 403 for one that does not exist."""
        if not is_id("app", base_id):
            raise errors.not_found()
        if base_id not in self.bases:
            raise errors.no_permission_or_model()
        return self.bases[base_id]

    def add_base(self, base_id: str, *, name: str = "Base") -> Base:
        """A new empty base."""
        if not is_id("app", base_id):
            raise ValueError(f"a base id is 'app' and fourteen letters or digits, not {base_id!r}")
        self.bases[base_id] = Base(id=base_id, name=name)
        return self.bases[base_id]
