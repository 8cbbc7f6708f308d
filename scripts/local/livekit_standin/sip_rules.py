"""SIP dispatch rules: what makes one valid, what an update of fields may change, and which rules collide.

Source: livekit/protocol livekit/sip.go and sip/sip.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import product

from livekit import api
from livekit.protocol.sip import SIPDispatchRuleUpdate

from . import errors


def check(rule: api.SIPDispatchRuleInfo) -> None:
    """400 for a rule that says nowhere which room a call goes to."""
    if not rule.HasField("rule"):
        raise errors.twirp("invalid_argument", "missing rule")


def upgrade(rule: api.SIPDispatchRuleInfo) -> None:
    """Give the rule the newer `media` message, as LiveKit does for new rules and for updates of fields."""
    rule.media.SetInParent()
    if rule.media_encryption and not rule.media.HasField("encryption"):
        rule.media.encryption = rule.media_encryption


def updated(rule: api.SIPDispatchRuleInfo, change: SIPDispatchRuleUpdate) -> api.SIPDispatchRuleInfo:
    """The rule with some fields changed; `room_config` and `numbers` are not among what can be changed so."""
    result = api.SIPDispatchRuleInfo()
    result.CopyFrom(rule)
    if change.HasField("trunk_ids"):
        trunks = _listed(list(rule.trunk_ids), change.trunk_ids)
        del result.trunk_ids[:]
        result.trunk_ids.extend(trunks)
    if change.HasField("rule"):
        result.rule.CopyFrom(change.rule)
    if change.HasField("name"):
        result.name = change.name
    if change.HasField("metadata"):
        result.metadata = change.metadata
    for key, value in change.attributes.items():
        if value:
            result.attributes[key] = value
        else:
            result.attributes.pop(key, None)
    if change.HasField("media"):
        result.media.CopyFrom(change.media)
    if change.HasField("media_encryption"):
        result.media_encryption = change.media_encryption
    upgrade(result)
    result.media_encryption = result.media.encryption
    check(result)
    return result


def _listed(before: list[str], change: api.ListUpdate) -> list[str]:
    several = bool(change.set or change.add or change.remove)
    if change.clear == several:
        reason = "cannot clear and change the list at the same time" if several else "unsupported list update operation"
        raise errors.twirp("invalid_argument", reason)
    if change.set and (change.add or change.remove):
        raise errors.twirp("invalid_argument", "cannot set and change the list at the same time")
    if "" in (*change.set, *change.add, *change.remove):
        raise errors.twirp("invalid_argument", "empty element in the list")
    if change.clear or change.set:
        return list(change.set)
    kept = [item for item in before if item not in change.remove]
    return [*kept, *(item for item in dict.fromkeys(change.add) if item not in kept)]


def check_conflicts(rules: Iterable[api.SIPDispatchRuleInfo]) -> None:
    """400 when two rules take the same calls: same trunk, called number, caller's number and PIN."""
    taken: dict[tuple[str, ...], api.SIPDispatchRuleInfo] = {}
    for rule in rules:
        pin = _pin(rule)
        for trunk, called, caller in product(
            list(rule.trunk_ids) or [""], list(rule.inbound_numbers) or [""], list(rule.numbers) or [""]
        ):
            other = taken.setdefault((pin, trunk, _number(called), _number(caller)), rule)
            if other is not rule:
                raise errors.twirp(
                    "invalid_argument",
                    "Dispatch rule for the same trunk, inbound number, number, and PIN combination already exists in "
                    f'dispatch rule "{other.sip_dispatch_rule_id or "<new>"}" "{other.name or "<blank name>"}"',
                )


def _pin(rule: api.SIPDispatchRuleInfo) -> str:
    match rule.rule.WhichOneof("rule"):
        case "dispatch_rule_direct":
            return rule.rule.dispatch_rule_direct.pin
        case "dispatch_rule_individual":
            return rule.rule.dispatch_rule_individual.pin
        case "dispatch_rule_callee":
            return rule.rule.dispatch_rule_callee.pin
        case _:
            raise errors.service("invalid_argument", "unsupported SIP Dispatch Rule: <nil>")


def _number(number: str) -> str:
    if re.fullmatch(r"\+?[\d\- ()]+", number, re.ASCII) is None:
        return number
    digits = re.sub(r"[ \-()]", "", number)
    return digits if digits.startswith("+") else f"+{digits}"


def matches(rule: api.SIPDispatchRuleInfo, wanted: api.ListSIPDispatchRuleRequest) -> bool:
    """Whether a listing shows the rule; a rule for all trunks belongs to every trunk."""
    if wanted.dispatch_rule_ids and rule.sip_dispatch_rule_id not in wanted.dispatch_rule_ids:
        return False
    return not (wanted.trunk_ids and rule.trunk_ids) or any(trunk in wanted.trunk_ids for trunk in rule.trunk_ids)
