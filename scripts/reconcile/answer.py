"""What runs of `reconcile` answered, read and put together (pure)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from infra.functions import protojson
from infra.functions.protojson import Object as Item
from scripts.errors import StackError

# The lists of an answer, with what tells one item from another: two runs may find the same.
LISTS: Mapping[str, tuple[str, ...]] = {
    "missing": ("egress",),
    "stuck": ("egress",),
    "unwanted": ("key", "version"),
    "without_recording": ("record",),
}
# What every run sees anew, however old the calls that it compares.
SEEN_AGAIN = ("arrivals", "running", "foreign", "unreadable")


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """One run, or several put together. `counts` counts what `lists` holds too, and what a long list leaves out."""

    counts: Mapping[str, int]
    requests: Mapping[str, int]
    lists: Mapping[str, Sequence[Item]] = field(repr=False)
    problems: tuple[str, ...]
    skipped: tuple[str, ...]

    @classmethod
    def of(cls, document: object) -> Answer:
        """Read what the function answered.

        Raises StackError when it could not run, or is of another version.
        """
        fields = protojson.as_object(document)
        problems = _texts(fields, "problems")
        if "counts" not in fields:
            said = f"it says: {', '.join(problems)}" if problems else "its answer is of another version"
            raise StackError(f"the function could not run ({said})")
        return cls(
            counts=_numbers(protojson.child(fields, "counts")),
            requests=_numbers(protojson.child(fields, "requests")),
            lists={name: protojson.children(fields, name) for name in LISTS},
            problems=problems,
            skipped=_texts(fields, "skipped"),
        )

    @property
    def left(self) -> bool:
        """Whether something is left that this run did not set right, or that a person should look at."""
        waiting = any(item.get("enqueued") is not True for item in self.lists["missing"])
        found = any(self.counts.get(name) or self.lists[name] for name in LISTS if name != "missing")
        return waiting or found or bool(self.problems) or self.counts.get("missing", 0) > len(self.lists["missing"])


def together(answers: Sequence[Answer]) -> Answer:
    """All of them as one; what two of them found is in it once."""
    lists = {name: _once(name, [item for answer in answers for item in answer.lists[name]]) for name in LISTS}
    counts: Counter[str] = Counter()
    for answer in answers:
        for name, count in answer.counts.items():
            counts[name] = max(counts[name], count) if name in SEEN_AGAIN else counts[name] + count
    for name, found in lists.items():
        repeated = sum(len(answer.lists[name]) for answer in answers) - len(found)
        counts[name] = max(counts[name] - repeated, len(found))
    requests: Counter[str] = Counter()
    for answer in answers:
        requests.update(answer.requests)
    return Answer(
        counts=dict(counts),
        requests=dict(requests),
        lists=lists,
        problems=tuple(dict.fromkeys(code for answer in answers for code in answer.problems)),
        skipped=tuple(dict.fromkeys(code for answer in answers for code in answer.skipped)),
    )


def _once(name: str, items: Iterable[Item]) -> list[Item]:
    """Of an item found twice the one that was put on the queue, since then it is there."""
    kept: dict[tuple[Any, ...], Item] = {}
    for item in items:
        identity = tuple(item.get(part) for part in LISTS[name])
        if identity not in kept or item.get("enqueued") is True:
            kept[identity] = item
    return list(kept.values())


def _numbers(fields: protojson.Object) -> dict[str, int]:
    return {name: number for name, number in fields.items() if isinstance(number, int)}


def _texts(fields: protojson.Object, name: str) -> tuple[str, ...]:
    return tuple(str(item) for item in protojson.as_list(fields.get(name)))
