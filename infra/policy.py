"""What a policy document is made of: plain dicts, without Pulumi.

Whoever makes one takes ARNs and looks nothing up, so that a test can read the very document that is deployed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Policy = dict[str, Any]


def document(*statements: Mapping[str, Any]) -> Policy:
    """Wrap statements in a policy of the current language version."""
    return {"Version": "2012-10-17", "Statement": [dict(statement) for statement in statements]}


def allow(
    sid: str, actions: list[str], resource: str | list[str], condition: Mapping[str, Any] | None = None
) -> Policy:
    """One Allow statement of an identity policy."""
    statement: Policy = {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}
    return statement | ({"Condition": dict(condition)} if condition else {})
