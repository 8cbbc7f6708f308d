"""SIP dispatch rules: what is to become of each one's egress (pure)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from livekit import api

from scripts.configure.found import Found, egress_of, with_egress
from scripts.configure.redaction import fingerprint, hidden, redacted, uploads


class Step(StrEnum):
    """What becomes of a rule. The last four leave it as it is, KEEP because nothing is to be done."""

    ADD = "add"
    UPDATE = "update"
    REPLACE = "replace"
    RESTORE = "restore"
    KEEP = "keep"
    FOREIGN = "foreign"
    HIDDEN = "hidden"
    GONE = "gone"


CHANGING = (Step.ADD, Step.UPDATE, Step.REPLACE, Step.RESTORE)
REFUSED = (Step.FOREIGN, Step.HIDDEN)
TIMES = ("created_at", "updated_at")


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One rule: what it holds, what it will hold, in words; `before` and `after` are whole rules.

    Words and rows never hold a credential. `found` is what has to be kept of it; None when nothing is.
    """

    rule: str
    name: str
    step: Step
    now: str
    will: str
    before: api.SIPDispatchRuleInfo | None = field(default=None, repr=False)
    after: api.SIPDispatchRuleInfo | None = field(default=None, repr=False)
    found: Found | None = field(default=None, repr=False)

    def row(self) -> dict[str, str]:
        """For JSON."""
        return {"rule": self.rule, "name": self.name, "step": self.step, "is": self.now, "willBe": self.will}


def attach(
    rules: Sequence[api.SIPDispatchRuleInfo],
    wanted: api.RoomEgress,
    kept: Mapping[str, Found],
    *,
    oust: bool,
) -> list[Change]:
    """Give each rule the egress `wanted`; `oust`: also where somebody else's is."""
    return [_attach(rule, wanted, kept.get(rule.sip_dispatch_rule_id), oust=oust) for rule in rules]


def _attach(rule: api.SIPDispatchRuleInfo, wanted: api.RoomEgress, kept: Found | None, *, oust: bool) -> Change:
    egress = egress_of(rule)
    ours = egress is not None and is_ours(egress, wanted, kept)
    if ours and egress is not None and _is_current(egress, wanted, kept):
        return _change(rule, Step.KEEP, rule, wanted)
    if egress is not None and not ours:
        if not oust:
            return _change(rule, Step.FOREIGN, rule, wanted)
        if hidden(egress):
            return _change(rule, Step.HIDDEN, rule, wanted)
    step = Step.ADD if egress is None else Step.UPDATE if ours else Step.REPLACE
    found = _found(rule, kept, ours=ours).with_applied(fingerprint(wanted), _key_of(wanted))
    return _change(rule, step, with_egress(rule, wanted), wanted, found)


def _found(rule: api.SIPDispatchRuleInfo, kept: Found | None, *, ours: bool) -> Found:
    """What an undo is to restore: what an earlier run found, unless somebody put something else there since."""
    if not ours:
        return Found.of(rule)
    # Without a record of what was there before, an undo takes ours away.
    return kept or Found(room_config=False, egress=None)


def detach(
    rules: Mapping[str, api.SIPDispatchRuleInfo], wanted: api.RoomEgress | None, kept: Mapping[str, Found]
) -> list[Change]:
    """Give each rule back the egress that it had: those of `kept`, and those that hold `wanted` all the same.

    A rule whose egress somebody changed meanwhile is left as it is.
    """
    changes = [_detach(name, rules.get(name), wanted, found) for name, found in sorted(kept.items())]
    for name, rule in sorted(rules.items()):
        egress = egress_of(rule)
        if name not in kept and wanted is not None and egress is not None and is_ours(egress, wanted, None):
            after = Found(room_config=False, egress=None).restored(rule)
            changes.append(_change(rule, Step.RESTORE, after, wanted))
    return changes


def _detach(name: str, rule: api.SIPDispatchRuleInfo | None, wanted: api.RoomEgress | None, found: Found) -> Change:
    if rule is None:
        return Change(rule=name, name="", step=Step.GONE, now="the rule is not there any more", will="")
    egress = egress_of(rule)
    before = None if egress is None else egress.SerializeToString(deterministic=True)
    if before == found.egress:
        return _change(rule, Step.KEEP, rule, wanted)
    if egress is None or not is_ours(egress, wanted, found):
        return _change(rule, Step.FOREIGN, rule, wanted)
    return _change(rule, Step.RESTORE, found.restored(rule), wanted)


def is_ours(egress: api.RoomEgress, wanted: api.RoomEgress | None, kept: Found | None) -> bool:
    """Whether `configure` put it there: with the settings of now, or by what it kept of earlier ones."""
    mark = fingerprint(egress)
    return (wanted is not None and mark == fingerprint(wanted)) or (kept is not None and mark in kept.applied)


def described(egress: api.RoomEgress | None) -> str:
    """In a few words, without credentials; where a stream goes is one, and left out."""
    if egress is None:
        return "no recording"
    kinds = [kind for kind in ("room", "participant", "tracks") if egress.HasField(kind)]
    places = [_place(upload) for upload in uploads(egress)]
    files = [output.filepath for output in egress.room.file_outputs]
    where = ", ".join(dict.fromkeys(places)) or "a stream, or the server's own storage"
    path = f" as {', '.join(files)}" if any(files) else ""
    return f"records the {' and '.join(kinds) or 'room'} to {where}{path}"


def _change(
    rule: api.SIPDispatchRuleInfo,
    step: Step,
    after: api.SIPDispatchRuleInfo,
    wanted: api.RoomEgress | None,
    found: Found | None = None,
) -> Change:
    return Change(
        rule=rule.sip_dispatch_rule_id,
        name=rule.name,
        step=step,
        now=_in_words(rule, wanted, rekeyed=step is Step.UPDATE),
        will=_in_words(after, wanted, rekeyed=False),
        before=rule,
        after=after,
        found=found,
    )


def _in_words(rule: api.SIPDispatchRuleInfo, wanted: api.RoomEgress | None, *, rekeyed: bool) -> str:
    """`rekeyed`: the rule's egress gives way to one that may differ in nothing but the upload key."""
    egress = egress_of(rule)
    words = described(egress)
    if egress is None or wanted is None or described(wanted) != words:
        return words
    if fingerprint(egress) != fingerprint(wanted):
        return f"{words}, with other settings"
    return f"{words}, with another upload key" if rekeyed else words


def _is_current(egress: api.RoomEgress, wanted: api.RoomEgress, kept: Found | None) -> bool:
    if fingerprint(egress) != fingerprint(wanted):
        return False
    if hidden(egress):
        return kept is None or kept.access_key_id in ("", _key_of(wanted))
    return egress.SerializeToString(deterministic=True) == wanted.SerializeToString(deterministic=True)


def _key_of(egress: api.RoomEgress) -> str:
    """The access key's id; of a role a mark of its external id, which is as secret as it is hidden."""
    s3 = egress.room.file_outputs[0].s3
    if not s3.assume_role_arn:
        return s3.access_key
    return f"role-{hashlib.sha256(f'{s3.assume_role_arn} {s3.assume_role_external_id}'.encode()).hexdigest()[:16]}"


def _place(upload: Any) -> str:
    kind = upload.DESCRIPTOR.name
    bucket = upload.container_name if kind == "AzureBlobUpload" else upload.bucket
    return f"{kind.removesuffix('Upload')} bucket {bucket}"


def same(left: api.SIPDispatchRuleInfo, right: api.SIPDispatchRuleInfo, besides: Iterable[str] = ()) -> bool:
    """Whether two readings of a rule are of the same rule: its times, and credentials that LiveKit hides, aside.

    `besides`: further fields that do not count.
    """
    aside = (*TIMES, *besides)
    return _comparable(left, aside) == _comparable(right, aside)


def _comparable(rule: api.SIPDispatchRuleInfo, aside: Iterable[str]) -> bytes:
    egress = egress_of(rule)
    copy = with_egress(rule, None if egress is None else redacted(egress))
    for name in aside:
        copy.ClearField(name)  # pyright: ignore[reportArgumentType] -- the stub wants the names one by one
    return copy.SerializeToString(deterministic=True)
