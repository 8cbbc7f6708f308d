"""A configuration key: the rule its value must keep, and how a breach is explained."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_network
from urllib.parse import urlsplit

Rule = Callable[[str], bool]


@dataclass(frozen=True, kw_only=True, slots=True)
class Key:
    """One key of `Pulumi.yaml`'s `config:` block.

    `rule` is the sentence a person reads, `check` the same rule as code; `example` is what the mending command
    sets, for a secret the command that makes one, if a command can.
    An empty value means "not set": allowed unless `required`.
    """

    name: str
    rule: str
    check: Rule
    example: str = ""
    default: str = ""
    required: bool = False
    secret: bool = False

    def problem(self, value: str) -> str | None:
        """Say in one sentence how `value` breaks the rule, or None; a secret's value is never repeated."""
        if not value:
            return f"{self.name}: {self.rule}; it is not set. {self.mend()}" if self.required else None
        if self.check(value):
            return None
        got = f"a value of {len(value)} characters" if self.secret or looks_secret(value) else repr(value)
        return f"{self.name}: {self.rule}; got {got}. {self.mend()}"

    def mend(self) -> str:
        """Name the command that sets the key; a secret is asked for or piped, never an argument that others can see."""
        if not self.secret:
            return f"Set it: pulumi config set {self.name} {self.example}"
        made = f"{self.example} | " if self.example else ""
        return f"Set it: {made}pulumi config set --secret {self.name}"


def looks_secret(value: str) -> bool:
    """Whether a value that ended up under the wrong key could be a token or key, and must not be repeated."""
    return re.match(r"pat\w{6}", value) is not None or re.search(r"[\w+/=-]{24}", value) is not None


def matching(pattern: str) -> Rule:
    """Accept what the whole of `pattern` matches."""
    compiled = re.compile(pattern, re.ASCII)
    return lambda value: compiled.fullmatch(value) is not None


def whole(low: int, high: int) -> Rule:
    """Accept a whole number from `low` to `high`."""
    return lambda value: re.fullmatch(r"\d{1,9}", value, re.ASCII) is not None and low <= int(value) <= high


def either(*choices: str) -> Rule:
    """Accept one of the words."""
    return lambda value: value in choices


def one_line(low: int, high: int) -> Rule:
    """Accept printable text of `low` to `high` characters, without blanks at its ends."""
    return lambda value: low <= len(value) <= high and value.isprintable() and value == value.strip()


def networks(most: int) -> Rule:
    """Accept addresses and networks (no host bits), commas between them, of `most` characters together."""

    def check(value: str) -> bool:
        try:
            parts = [ip_network(part.strip()) for part in value.split(",")]
        except ValueError:
            return False
        return len(value) <= most and bool(parts)

    return check


def url(*schemes: str, path: bool = True) -> Rule:
    """Accept an address of one of the schemes, `path` or none behind it; an unencrypted one only on this machine."""

    def check(value: str) -> bool:
        try:
            parts = urlsplit(value)
            _ = parts.port
        except ValueError:
            return False
        plain = parts.scheme in {"http", "ws"}
        local = parts.hostname in {"127.0.0.1", "localhost", "::1"}
        allowed = parts.scheme in schemes or (plain and local)
        return allowed and bool(parts.hostname) and not parts.query and (path or not parts.path)

    return check
