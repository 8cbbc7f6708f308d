"""Where what `configure` found is kept: a secret in the stack's own configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from scripts.configure import found
from scripts.configure.found import Found
from scripts.deployment import Engine
from scripts.secret_config import set_secret

# Under a namespace of its own: the program reads, and checks, only its own.
KEY = "callrec-configure:found"


class Keeper(Protocol):
    """Keeps what was found, by rule id."""

    def load(self) -> dict[str, Found]:
        """All of it, as it is now. Raises StackError when it cannot be read."""
        ...

    def change(self, changes: Mapping[str, Found | None]) -> None:
        """Put these in place of what is kept of the same rules; None forgets a rule."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class StackKeeper:
    """A Keeper in the configuration of a stack (`Pulumi.<stack>.yaml`), encrypted by the stack's key."""

    engine: Engine = field(repr=False)

    def load(self) -> dict[str, Found]:
        """As Keeper. Raises NoStackError when there is no stack."""
        with self.engine() as opened:
            held = opened.get_all_config().get(KEY)
        return found.read("" if held is None else held.value)

    def change(self, changes: Mapping[str, Found | None]) -> None:
        """As Keeper; reads again what is kept, so that another's changes since stay."""
        with self.engine() as opened:
            held = opened.get_all_config().get(KEY)
            before = found.read("" if held is None else held.value)
            after = {rule: one for rule, one in {**before, **changes}.items() if one is not None}
            if after:
                set_secret(opened, KEY, found.written(after))
            elif held is not None:
                opened.remove_config(KEY)
