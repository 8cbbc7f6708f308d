"""What a teardown is about to do, as people and programs read it."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scripts.configure.rules import Change, Step
from scripts.teardown.locks import day
from scripts.teardown.recordings import Holding
from scripts.teardown.state import Resource, shown

# The queues of events are FIFO; S3 tells only other ones of what arrives.
_EVENTS = "events not delivered yet; lost with it"
_ARRIVALS = "stored files that reconcile has not placed yet; forgotten with it"
_FATES = {
    Step.RESTORE: "put back as it was found, before anything goes",
    Step.FOREIGN: "somebody changed its recording after callrec did; left as it is",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """`buckets` maps a bucket of the stack to what it holds, None when AWS has no such bucket.

    `queues` maps a queue that goes to the messages in it. `egresses` are the recordings that run now and would be
    stopped; None when LiveKit was not asked. `rules` are the dispatch rules that `configure` changed. `export`: where
    to the recordings are downloaded first.
    """

    stack: str
    deletes_recordings: bool
    going: Sequence[Resource]
    staying: Sequence[Resource]
    buckets: Mapping[str, Holding | None]
    queues: Mapping[str, int]
    egresses: Sequence[str] | None
    rules: Sequence[Change] = ()
    export: str | None = None

    def lines(self, *, dry: bool) -> Generator[str]:
        """For people."""
        yield f"Stack {self.stack}{' (dry run: nothing is changed)' if dry else ''}"
        yield from _listed("would go" if dry else "going", self.going)
        yield from _listed("would stay" if dry else "staying", self.staying)
        for name, holding in self.buckets.items():
            fate = self._fate(name)
            yield f"bucket {name}: {'not there any more' if holding is None else f'{holding.words}; {fate}'}"
            yield from _warnings(name, holding)
        if self.export is not None:
            yield f"downloaded first, with a manifest: every version in {next(iter(self.buckets), 'no bucket')}"
        for name, messages in self.queues.items():
            if messages:
                yield f"queue {name}: {messages} {_EVENTS if name.endswith('.fifo') else _ARRIVALS}"
        if any(resource.type == "aws:lambda/functionUrl:FunctionUrl" for resource in self.going):
            yield "the links in Airtable end for good: a later `pulumi up` gives the functions other addresses"
        if self.deletes_recordings and any(resource.type == "aws:kms/key:Key" for resource in self.going):
            yield "the encryption key is scheduled for deletion: AWS deletes it 30 days later"
        for change in self.rules:
            yield f"dispatch rule {change.rule}: {_FATES.get(change.step, 'left as it is')}"
        if self.egresses:
            yield f"recording now, stopped first: {', '.join(self.egresses)}"
        elif self.egresses is None and self.going:
            yield "LiveKit is not asked what it records now"
        if not self.going:
            yield "nothing is left to remove"

    def _fate(self, bucket: str) -> str:
        if not self.deletes_recordings:
            return "kept"
        # The first is that of the recordings; the other one tells who read and deleted them in S3.
        others = "" if bucket == next(iter(self.buckets)) else "; access logs, which --export does not download"
        return f"deleted for ever{others}"

    def document(self) -> dict[str, Any]:
        """For programs; sizes in bytes."""
        return {
            "stack": self.stack,
            "deletesRecordings": self.deletes_recordings,
            "going": _listing(self.going),
            "staying": _listing(self.staying),
            "buckets": {
                name: None
                if holding is None
                else {
                    "objects": holding.objects,
                    "versions": holding.versions,
                    "bytes": holding.size,
                    "youngerThanADay": holding.young,
                    "locked": holding.locked,
                    "lockedUntil": None if holding.until is None else holding.until.isoformat(),
                }
                for name, holding in self.buckets.items()
            },
            "queues": dict(self.queues),
            "egresses": None if self.egresses is None else list(self.egresses),
            "rules": [change.row() for change in self.rules],
        }


def _warnings(bucket: str, holding: Holding | None) -> Generator[str]:
    if holding is None:
        return
    if holding.young:
        yield (
            f"bucket {bucket}: {holding.young:,} objects are younger than a day: a link may not be written yet, "
            "and nobody may have listened"
        )
    if holding.locked and holding.until is not None and holding.mode is not None:
        kept = f"{holding.locked:,} versions, the last until {day(holding.until)}"
        yield f"bucket {bucket}: Object Lock ({holding.mode.lower()}) keeps {kept}"


def _listed(title: str, resources: Sequence[Resource]) -> Generator[str]:
    real = shown(resources)
    if not real:
        return
    yield f"{title}:"
    width = max(len(resource.kind) for resource in real)
    for resource in real:
        yield f"  {resource.kind:<{width}}  {resource.id}"


def _listing(resources: Sequence[Resource]) -> list[dict[str, str]]:
    return [{"kind": resource.kind, "id": resource.id} for resource in shown(resources)]
