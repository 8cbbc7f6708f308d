"""What parliament and cloudsplaining say of one policy.

parliament (https://github.com/duo-labs/parliament) knows every action, resource type and condition key, and so finds
what AWS would take and never match; cloudsplaining (https://github.com/salesforce/cloudsplaining) finds what is too
wide.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import parliament
from cloudsplaining.scan.assume_role_policy_document import AssumeRolePolicyDocument
from cloudsplaining.scan.policy_document import PolicyDocument
from cloudsplaining.scan.resource_policy_document import ResourcePolicyDocument

from tests.audit.finding import Finding

ACCOUNT = "123456789012"
# What cloudsplaining calls its findings in a report, and where its library keeps them.
TOO_WIDE = {
    "PrivilegeEscalation": "allows_privilege_escalation",
    "DataExfiltration": "allows_data_exfiltration_actions",
    "CredentialsExposure": "credentials_exposure",
    "ServiceWildcard": "service_wildcard",
    "ResourceExposure": "permissions_management_without_constraints",
    "InfrastructureModification": "infrastructure_modification",
    "UnconstrainedWrite": "write_actions_without_constraints",
    "UnconstrainedTagging": "tagging_actions_without_constraints",
    "NotAction": "contains_statement_using_not_action",
}
ASSUMABLE = {
    "AssumableByAnybody": "role_assumable_by_any_principal",
    "AssumableByAnybodyOnCondition": "role_assumable_by_any_principal_with_conditions",
    "AssumableByOthers": "role_assumable_by_cross_account_principals",
}


def lint(name: str, document: Mapping[str, Any], account: str = ACCOUNT) -> set[Finding]:
    """Everything that either tool finds in the policy `name`; roles of `account` may be assumed from within it."""
    return {*_parliament(name, document), *_cloudsplaining(name, document, account)}


def is_trust(document: Mapping[str, Any]) -> bool:
    """Whether this is a role's trust policy: those name no resource, since it is the role itself."""
    return all("Principal" in statement and "Resource" not in statement for statement in document["Statement"])


def _parliament(name: str, document: Mapping[str, Any]) -> Iterator[Finding]:
    # It knows no trust policies and misses the resource: given the role itself, it judges all the rest.
    own = {"Resource": f"arn:aws:iam::{ACCOUNT}:role/itself"} if is_trust(document) else {}
    whole = {**document, "Statement": [{**statement, **own} for statement in document["Statement"]]}
    judged = parliament.analyze_policy_string(json.dumps(whole), include_community_auditors=True)
    for found in judged.findings:
        yield Finding(tool="parliament", check=found.issue, where=name, detail=str(found.detail))


def _cloudsplaining(name: str, document: Mapping[str, Any], account: str) -> Iterator[Finding]:
    if is_trust(document):
        judged: Any = AssumeRolePolicyDocument(dict(document), current_account_id=account)
        checks = ASSUMABLE
    elif any("Principal" in statement for statement in document["Statement"]):
        judged = ResourcePolicyDocument(dict(document))
        checks = {"InternetAccessible": "internet_accessible_actions"}
    else:
        judged = PolicyDocument(dict(document))
        checks = TOO_WIDE
    for check, where in checks.items():
        found = getattr(judged, where)
        if found:
            yield Finding(tool="cloudsplaining", check=check, where=name, detail=re.sub(r"\s+", " ", str(found))[:200])
