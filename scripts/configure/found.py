"""What `configure` found in LiveKit before it changed anything, and how it is put back (pure).

Kept as one secret in the stack's own configuration, beside Pulumi's state: whoever can operate the stack can undo, from
any machine; it goes with the stack; and credentials in what was found are encrypted by the stack's own key.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from livekit import api

from scripts.errors import StackError

# Of the form of what is written.
VERSION = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """One rule's `room_config.egress` as it was: `egress` its bytes, None when it had none.

    `room_config`: whether the rule had one at all. `applied`: fingerprints of what `configure` put there, newest last;
    they tell that an egress is ours although the configuration changed since. `access_key_id` is the newest one's.
    """

    room_config: bool
    egress: bytes | None = field(repr=False)
    applied: tuple[str, ...] = ()
    access_key_id: str = ""

    @classmethod
    def of(cls, rule: api.SIPDispatchRuleInfo) -> Self:
        """What a rule holds."""
        egress = egress_of(rule)
        return cls(
            room_config=rule.HasField("room_config"),
            egress=None if egress is None else egress.SerializeToString(deterministic=True),
        )

    def with_applied(self, fingerprint: str, access_key_id: str) -> Found:
        """The same, knowing one more egress as ours."""
        others = tuple(one for one in self.applied if one != fingerprint)
        return replace(self, applied=(*others, fingerprint), access_key_id=access_key_id)

    def restored(self, rule: api.SIPDispatchRuleInfo) -> api.SIPDispatchRuleInfo:
        """The rule as it is now, with the egress that it had."""
        if self.egress is not None:
            return with_egress(rule, api.RoomEgress.FromString(self.egress))
        changed = with_egress(rule, None)
        if not self.room_config and not changed.room_config.ByteSize():
            changed.ClearField("room_config")
        return changed


def egress_of(rule: api.SIPDispatchRuleInfo) -> api.RoomEgress | None:
    """The egress that a rule gives its rooms."""
    if rule.HasField("room_config") and rule.room_config.HasField("egress"):
        return rule.room_config.egress
    return None


def with_egress(rule: api.SIPDispatchRuleInfo, egress: api.RoomEgress | None) -> api.SIPDispatchRuleInfo:
    """A copy of the whole rule, unknown fields too, with another egress or none."""
    changed = api.SIPDispatchRuleInfo()
    changed.CopyFrom(rule)
    if egress is not None:
        changed.room_config.egress.CopyFrom(egress)
        changed.room_config.egress.SetInParent()  # an empty one is there too
    elif egress_of(changed) is not None:
        changed.room_config.ClearField("egress")
    return changed


def written(rules: Mapping[str, Found]) -> str:
    """As JSON; holds credentials where what was found did."""
    return json.dumps({"rules": {str(VERSION): {name: _row(found) for name, found in sorted(rules.items())}}})


def read(text: str) -> dict[str, Found]:
    """What `written` wrote, "" for nothing.

    Raises StackError for what another version wrote, or somebody edited.
    """
    if not text:
        return {}
    try:
        document: Any = json.loads(text)
        return {str(name): _found(row) for name, row in document["rules"][str(VERSION)].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StackError(
            f"what configure once found cannot be read ({type(error).__name__}): it is not of this version of callrec, "
            "or was edited. Use the version that wrote it; or mend the rules by hand, then: "
            "pulumi config rm callrec-configure:found"
        ) from None


def _row(found: Found) -> dict[str, Any]:
    return {
        "roomConfig": found.room_config,
        "egress": None if found.egress is None else base64.b64encode(found.egress).decode(),
        "applied": list(found.applied),
        "accessKeyId": found.access_key_id,
    }


def _found(row: Mapping[str, Any]) -> Found:
    egress = row["egress"]
    return Found(
        room_config=bool(row["roomConfig"]),
        egress=None if egress is None else base64.b64decode(egress, validate=True),
        applied=tuple(map(str, row["applied"])),
        access_key_id=str(row["accessKeyId"]),
    )
