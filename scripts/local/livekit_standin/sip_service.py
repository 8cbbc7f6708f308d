"""livekit.SIP: dispatch rules.

Source: livekit-server 1.13 pkg/service/sip.go and redisstore_sip.go.
"""

from __future__ import annotations

import threading

from livekit import api

from . import errors, sip_rules
from .access import Grants
from .ids import new_id


class SipService:
    """The methods that the stand-in has, and the rules, by id."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: dict[str, api.SIPDispatchRuleInfo] = {}

    def add(self, rule: api.SIPDispatchRuleInfo) -> str:
        """Put a rule in as it is, behind the API's back; its id, a fresh one when it has none."""
        with self._lock:
            kept = _copy(rule)
            kept.sip_dispatch_rule_id = kept.sip_dispatch_rule_id or new_id("SDR_")
            self._rules[kept.sip_dispatch_rule_id] = kept
            return kept.sip_dispatch_rule_id

    def list(self, wanted: api.ListSIPDispatchRuleRequest, grants: Grants) -> api.ListSIPDispatchRuleResponse:
        """The rules in order of their ids, as many after `page.after_id` as `page.limit` allows."""
        grants.require_sip_admin()
        with self._lock:
            found = [rule for _, rule in sorted(self._rules.items()) if sip_rules.matches(rule, wanted)]
        found = [rule for rule in found if rule.sip_dispatch_rule_id > wanted.page.after_id]
        return api.ListSIPDispatchRuleResponse(items=found[: wanted.page.limit or None])

    def create(self, wanted: api.CreateSIPDispatchRuleRequest, grants: Grants) -> api.SIPDispatchRuleInfo:
        """A new rule, from the whole one or from the older separate fields."""
        grants.require_sip_admin()
        if wanted.HasField("dispatch_rule"):
            rule = _copy(wanted.dispatch_rule)
            sip_rules.upgrade(rule)
            if rule.sip_dispatch_rule_id:
                raise errors.twirp("invalid_argument", "rule id must not be set")
        else:
            rule = _of_fields(wanted)
        sip_rules.check(rule)
        with self._lock:
            sip_rules.check_conflicts([*self._rules.values(), rule])
            rule.sip_dispatch_rule_id = new_id("SDR_")
            self._rules[rule.sip_dispatch_rule_id] = rule
            return _copy(rule)

    def update(self, wanted: api.UpdateSIPDispatchRuleRequest, grants: Grants) -> api.SIPDispatchRuleInfo:
        """Replace a whole rule, or change some of its fields."""
        grants.require_sip_admin()
        if not wanted.sip_dispatch_rule_id:
            raise errors.twirp("invalid_argument", "rule id must be set")
        if wanted.WhichOneof("action") is None:
            raise errors.twirp("invalid_argument", "missing or unsupported update action")
        with self._lock:
            before = self._get(wanted.sip_dispatch_rule_id)
            after = _replaced(wanted) if wanted.HasField("replace") else sip_rules.updated(before, wanted.update)
            others = [rule for name, rule in self._rules.items() if name != wanted.sip_dispatch_rule_id]
            sip_rules.check_conflicts([*others, after])
            self._rules[wanted.sip_dispatch_rule_id] = after
            return _copy(after)

    def delete(self, wanted: api.DeleteSIPDispatchRuleRequest, grants: Grants) -> api.SIPDispatchRuleInfo:
        """Remove a rule."""
        grants.require_sip_admin()
        if not wanted.sip_dispatch_rule_id:
            raise errors.twirp("invalid_argument", "dispatch rule ID is required")
        with self._lock:
            rule = self._get(wanted.sip_dispatch_rule_id)
            del self._rules[rule.sip_dispatch_rule_id]
            return rule

    def _get(self, rule_id: str) -> api.SIPDispatchRuleInfo:
        if rule_id not in self._rules:
            raise errors.twirp("not_found", "twirp error unknown: requested sip dispatch rule does not exist")
        return self._rules[rule_id]


def _replaced(wanted: api.UpdateSIPDispatchRuleRequest) -> api.SIPDispatchRuleInfo:
    rule = _copy(wanted.replace)
    if rule.sip_dispatch_rule_id not in ("", wanted.sip_dispatch_rule_id):
        reason = "rule id in the info must be empty or match the id in the update"
        raise errors.twirp("invalid_argument", reason)
    sip_rules.check(rule)
    rule.sip_dispatch_rule_id = wanted.sip_dispatch_rule_id
    return rule


def _of_fields(wanted: api.CreateSIPDispatchRuleRequest) -> api.SIPDispatchRuleInfo:
    rule = api.SIPDispatchRuleInfo(
        trunk_ids=wanted.trunk_ids,
        hide_phone_number=wanted.hide_phone_number,
        inbound_numbers=wanted.inbound_numbers,
        name=wanted.name,
        metadata=wanted.metadata,
        attributes=wanted.attributes,
        room_preset=wanted.room_preset,
    )
    if wanted.HasField("rule"):
        rule.rule.CopyFrom(wanted.rule)
    if wanted.HasField("room_config"):
        rule.room_config.CopyFrom(wanted.room_config)
    return rule


def _copy(rule: api.SIPDispatchRuleInfo) -> api.SIPDispatchRuleInfo:
    copy = api.SIPDispatchRuleInfo()
    copy.CopyFrom(rule)
    return copy
