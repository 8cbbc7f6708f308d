"""When what the program wants and what AWS says are the same thing in other words."""

from __future__ import annotations

import json
from typing import Any, cast


def same(want: Any, have: Any) -> bool:
    """Whether two values are equal once absent, empty and false parts inside them are left out."""
    return (_pruned(want) or None) == (_pruned(have) or None) if _is_container(want, have) else want == have


def same_set(want: Any, have: Any) -> bool:
    """Whether two lists have the same members, in whatever order."""
    return sorted(want or []) == sorted(have or [])


def same_json(want: Any, have: Any) -> bool:
    """Whether two JSON texts, or what they stand for, mean the same; order of string lists does not matter."""
    return _canonical(_parsed(want)) == _canonical(_parsed(have))


def same_tail(want: Any, have: Any) -> bool:
    """Whether a name (or id) and an ARN that ends in it mean the same thing."""
    return _tail(want) == _tail(have)


def covers(want: Any, have: Any) -> bool:
    """Whether `have` has everything that `want` names; what it does not name is AWS's own choice."""
    if isinstance(want, dict) and isinstance(have, dict):
        wanted, found = cast("dict[str, Any]", want), cast("dict[str, Any]", have)
        return all(covers(value, found.get(key)) for key, value in wanted.items())
    return same(want, have)


def _is_container(*values: Any) -> bool:
    return any(isinstance(value, dict | list) for value in values)


def _pruned(value: Any) -> Any:
    if isinstance(value, dict):
        entries = {key: _pruned(item) for key, item in cast("dict[str, Any]", value).items()}
        return {key: item for key, item in entries.items() if item not in (None, "", {}, []) and item is not False}
    if isinstance(value, list):
        return [_pruned(item) for item in cast("list[Any]", value)]
    return value


def _parsed(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _canonical(value: Any) -> Any:
    """A policy may write one string where it may write a list, and in any order."""
    if isinstance(value, dict):
        return {key: _canonical(item) for key, item in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        items = [_canonical(item) for item in cast("list[Any]", value)]
        if len(items) == 1:
            return items[0]
        return sorted(items) if all(isinstance(item, str) for item in items) else items
    return str(value).lower() if isinstance(value, bool) else value


def _tail(value: Any) -> Any:
    return value.replace("/", ":").rsplit(":", 1)[-1] if isinstance(value, str) else value
