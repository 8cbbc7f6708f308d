"""One variable of the environment, checked: SettingsError names it, the rule, and what it holds instead."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from . import networks as allowed
from .errors import SettingsError
from .networks import Network


def text(env: Mapping[str, str], name: str) -> str:
    """A text that is there, without spaces around it."""
    value = env.get(name)
    if not value or value != value.strip():
        raise SettingsError(name, "a text without spaces around it", value)
    return value


def integer(env: Mapping[str, str], name: str, low: int, high: int) -> int:
    """A whole number from `low` to `high`."""
    value = env.get(name)
    if value is None or not value.isascii() or not value.isdigit() or not low <= int(value[:20]) <= high:
        raise SettingsError(name, f"a whole number from {low} to {high}", value)
    return int(value)


def url(env: Mapping[str, str], name: str, *, schemes: tuple[str, ...] = ("http", "https")) -> str:
    """A URL of one of these schemes, as it stands there."""
    value = env.get(name)
    rule = f"a URL of {' or '.join(schemes)}"
    try:
        parts = urlsplit(value or "")
    except ValueError:
        raise SettingsError(name, rule, value) from None
    if not value or parts.scheme not in schemes or not parts.hostname:
        raise SettingsError(name, rule, value)
    return value


def prefix(env: Mapping[str, str], name: str) -> str:
    """A key prefix that ends with a slash."""
    value = env.get(name)
    if not value or not value.endswith("/") or any(part in ("", ".", "..") for part in value[:-1].split("/")):
        raise SettingsError(
            name, 'a key prefix such as "recordings/": it ends with a slash and starts with none', value
        )
    return value


def networks(env: Mapping[str, str], name: str) -> tuple[Network, ...]:
    """Networks with commas between them; none when it is left out."""
    value = env.get(name)
    if value is None:
        return ()
    try:
        return allowed.parse(value)
    except ValueError:
        raise SettingsError(name, "networks such as 203.0.113.0/24, commas between them", value) from None
