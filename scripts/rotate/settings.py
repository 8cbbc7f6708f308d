"""The stack's configuration as a rotation reads and changes it; its own notes stand there too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from pulumi import automation
from pulumi.automation import ConfigValue

from scripts.deployment import PROJECT
from scripts.interruption import postponed
from scripts.rotate import state
from scripts.rotate.state import State
from scripts.secret_config import set_secret

# A namespace of its own: the program reads, and checks, only its own.
NAMESPACE = "callrec-rotate"


def date_key(kind: str) -> str:
    """Where the day stands on which a key was last replaced, in clear: how old a key is, is no secret."""
    return f"{NAMESPACE}:{kind}"


def state_key(kind: str) -> str:
    """Where a rotation that has begun stands, encrypted."""
    return f"{NAMESPACE}:{kind}-state"


class Settings(Protocol):
    """The configuration: the program's keys by their names, others with their namespace; secrets in clear."""

    def values(self) -> Mapping[str, str]:
        """All that is set now."""
        ...

    def put(self, plain: Mapping[str, str]) -> None:
        """Set values that are no secrets, all of them at once."""
        ...

    def put_secret(self, name: str, value: str) -> None:
        """Set one secret."""
        ...

    def remove(self, *names: str) -> None:
        """Forget values, those that are not set too."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class StackSettings:
    """As Settings, in the file `Pulumi.<stack>.yaml`; a signal is heard only once a value is whole."""

    stack: automation.Stack = field(repr=False)

    def values(self) -> Mapping[str, str]:
        """As Settings."""
        held = self.stack.get_all_config()
        return {name.removeprefix(f"{PROJECT}:"): value.value for name, value in held.items()}

    def put(self, plain: Mapping[str, str]) -> None:
        """As Settings."""
        with postponed():
            self.stack.set_all_config({full(name): ConfigValue(value) for name, value in plain.items()})

    def put_secret(self, name: str, value: str) -> None:
        """As Settings."""
        with postponed():
            set_secret(self.stack, full(name), value)

    def remove(self, *names: str) -> None:
        """As Settings."""
        held = self.stack.get_all_config()
        for name in names:
            if full(name) in held:
                with postponed():
                    self.stack.remove_config(full(name))


def full(name: str) -> str:
    """A key with its namespace."""
    return name if ":" in name else f"{PROJECT}:{name}"


def load(settings: Settings, kind: str) -> State | None:
    """The rotation that has begun, None when there is none. Raises StackError when it cannot be read."""
    return state.read(kind, settings.values().get(state_key(kind), ""))


def save(settings: Settings, found: State) -> None:
    """Keep how far it is."""
    settings.put_secret(state_key(found.kind), found.written())


def forget(settings: Settings, kind: str) -> None:
    """It is over."""
    settings.remove(state_key(kind))
