"""Which object an egress's recording is, and whether what lies there is this recording alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from google.protobuf.json_format import MessageToDict

from infra.functions.errors import PermanentError
from infra.functions.objects import SKEW
from infra.functions.protojson import Object
from infra.functions.recording import Recording, check_place
from infra.functions.timetable import GRACE
from scripts.errors import StackError, UnfinishedError, UsageError
from scripts.livekit_access import LIST_EGRESS, LiveKit
from scripts.recordings.find import Kept
from scripts.recordings.versions import Version

if TYPE_CHECKING:
    from livekit import api

_RUNNING = ("EGRESS_STARTING", "EGRESS_ACTIVE", "EGRESS_ENDING")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """The recording's object. `versions`: those that links of this egress name; `begin` and `end`: when it was made.

    `given`: the operator named the key, and answers for what lies under it. `told`: a link or LiveKit names it.
    """

    key: str = field(repr=False)
    versions: frozenset[str] = frozenset()
    begin: datetime | None = None
    end: datetime | None = None
    given: bool = False
    told: bool = False


def by_links(links: Sequence[Kept], key: str | None) -> Sought | None:
    """The object that the egress's links play; None without links. Raises UsageError when `key` is another."""
    keys = {kept.link.key for kept in links}
    if not keys:
        return None
    if len(keys) > 1:
        raise StackError(
            f"links of this egress name {len(keys)} files: {', '.join(sorted(keys))}. Nothing was touched. "
            "That is not of callrec's making: look at the conversations first"
        )
    [found] = keys
    if key not in (None, found):
        raise UsageError(f"--key names another file than the link of this egress, which plays {found}")
    ends = [kept.link.ended_at for kept in links if kept.link.ended_at is not None]
    begins = [kept.link.ended_at - (kept.link.duration_s or 0.0) for kept in links if kept.link.ended_at is not None]
    return Sought(
        key=found,
        versions=frozenset(kept.link.version for kept in links),
        begin=datetime.fromtimestamp(min(begins), UTC) if begins else None,
        end=datetime.fromtimestamp(max(ends), UTC) if ends else None,
        given=key is not None,
        told=True,
    )


def ended(livekit: LiveKit | None, egress_id: str) -> Object | None:
    """The egress as LiveKit lists it; None when LiveKit does not know it any more, or is not known itself.

    Raises UnfinishedError while it is still recording, LiveKitError when LiveKit cannot be asked.
    """
    info = None if livekit is None else _listed(livekit, egress_id)
    if info is None:
        return None
    told: Object = MessageToDict(info)
    if told.get("status", _RUNNING[0]) in _RUNNING:
        raise UnfinishedError(f"{egress_id} is still recording. Erase it when it has ended. Nothing was touched")
    return told


def by_livekit(told: Object, egress_id: str, bucket: str, prefix: str) -> Sought:
    """The object that LiveKit says it made. Raises StackError when it made no file of ours."""
    try:
        recording = Recording.from_payload({"egressInfo": told})
        if recording is not None:
            check_place(recording, bucket, prefix)
    except PermanentError as error:
        raise StackError(f"LiveKit says of {egress_id}: {error.text}. Nothing was touched") from None
    if recording is None or not recording.has_file or recording.key is None:
        raise StackError(f"{egress_id} left no file in the bucket. Nothing was touched")
    return Sought(
        key=recording.key,
        begin=recording.started_at or recording.ended_at,
        end=recording.ended_at or recording.started_at,
        told=True,
    )


def by_key(key: str, listed: Sought | None) -> Sought:
    """The object that the operator names. Raises UsageError when LiveKit lists another for this egress."""
    if listed is None:
        return Sought(key=key, given=True)
    if listed.key != key:
        raise UsageError(f"--key names another file than LiveKit, which says {listed.key}. Nothing was touched")
    return replace(listed, given=True)


def inside(sought: Sought, prefix: str) -> Sought:
    """The same. Raises UsageError for an object that is no recording: nothing else may ever be deleted."""
    parts = sought.key.split("/")
    if not sought.key.startswith(prefix) or sought.key == prefix or "." in parts or ".." in parts:
        raise UsageError(f"{sought.key} lies outside {prefix}, where recordings are. Nothing was touched")
    return sought


def strangers(sought: Sought, found: Iterable[Version]) -> list[Version]:
    """Versions that no link of this egress names: an earlier upload of it, or another call's recording."""
    return [one for one in found if not one.marker and one.id not in sought.versions]


def refuse_others(
    sought: Sought, egress_id: str, unnamed: Sequence[Version], others: Iterable[Kept], owners: frozenset[str] | None
) -> None:
    """Raises StackError when the object also holds, or may hold, another call's recording.

    `others`: every link of ours in the table. `owners`: the egresses that LiveKit says made this file, as far as it
    still knows. What no link names is this recording's when LiveKit knows of no other one, and it was stored then.
    """
    theirs = {
        kept.link.egress_id: f" (conversation {kept.record_id})" for kept in others if kept.link.key == sought.key
    }
    theirs = dict.fromkeys(owners or (), "") | theirs
    theirs.pop(egress_id, None)
    version = next(iter(sought.versions), "VERSION")
    mend = (
        "A file path must be new for every call. Nothing was touched. Delete the one version yourself: "
        f"aws s3api delete-object --bucket BUCKET --key '{sought.key}' --version-id {version}"
    )
    if theirs:
        named = ", ".join(f"{name}{where}" for name, where in sorted(theirs.items()))
        raise StackError(f"{sought.key} holds the recording of another call too: {named}. {mend}")
    sure = sought.given or (owners is not None and egress_id in owners)
    odd = [one for one in unnamed if not sure or not (sought.given or _fits(sought, one))]
    if odd:
        when = ", ".join(f"{one.modified:%Y-%m-%d %H:%M} UTC ({one.id})" for one in odd)
        raise StackError(
            f"{sought.key} has versions of which nobody can say whether they are {egress_id} or another call: {when}. "
            f"{mend}. If all of them are this recording: --key '{sought.key}'"
        )


def _fits(sought: Sought, version: Version) -> bool:
    if sought.begin is None or sought.end is None:
        return False
    return sought.begin - SKEW <= version.modified <= sought.end + GRACE


def owners(livekit: LiveKit | None, key: str) -> frozenset[str] | None:
    """The egresses that made, or are making, this file; None when the stack knows no LiveKit. Raises LiveKitError."""
    if livekit is None:
        return None
    return frozenset(
        info.egress_id
        for info in livekit.egresses(active=False)
        if key in {info.file.filename, *(file.filename for file in info.file_results)}
    )


def _listed(livekit: LiveKit, egress_id: str) -> api.EgressInfo | None:
    from livekit import api  # noqa: PLC0415 -- takes long to import, and links mostly tell all

    request = api.ListEgressRequest(egress_id=egress_id)
    answer = livekit.ask(LIST_EGRESS, lambda client: client.egress.list_egress(request))
    return next((info for info in answer.items if info.egress_id == egress_id), None)
