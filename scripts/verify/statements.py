"""What policy documents mean, however they are written: one string or a list, any order, any Sid (pure)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

Document = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Grant:
    """One effect of one action on one resource under one condition (canonical JSON, "{}" for none)."""

    effect: str
    action: str
    resource: str
    condition: str

    def __str__(self) -> str:
        where = "" if self.condition == "{}" else " under a condition"
        return f"{self.effect} {self.action} on {self.resource}{where}"


def read_document(document: Any) -> Document:
    """boto3 decodes documents; what it hands through as text is JSON."""
    return json.loads(document) if isinstance(document, str) else document


def statements(document: Document) -> list[Document]:
    """The statements of a document; a single one may stand without its list."""
    found: Any = document.get("Statement", [])
    return [found] if isinstance(found, Mapping) else list(found)


def grants(document: Document) -> set[Grant]:
    """An identity policy taken apart. A statement by exclusion (`NotAction` …) is one grant that nothing equals."""
    found: set[Grant] = set()
    for statement in statements(document):
        actions, resources = words(statement.get("Action")), words(statement.get("Resource"))
        if "NotAction" in statement or "NotResource" in statement:
            actions, resources = [f"everything but {words(statement.get('NotAction'))}"], resources or ["*"]
        condition = json.dumps(_canonical(statement.get("Condition", {})), sort_keys=True)
        found |= {
            Grant(effect=str(statement.get("Effect")), action=action, resource=resource, condition=condition)
            for action in actions
            for resource in resources
        }
    return found


def denies(document: Document, arn: str, test: str, key: str, acceptable: Iterable[str]) -> bool:
    """Whether everybody is denied everything on the bucket and all its objects whenever one test holds.

    The condition must be that test alone: a second one would leave requests through.
    """
    return any(
        statement.get("Effect") == "Deny"
        and _everybody(statement.get("Principal"))
        and {"s3:*", "*"} & {action.lower() for action in words(statement.get("Action"))}
        and _covers(words(statement.get("Resource")), arn)
        and _just(statement.get("Condition"), test, key, acceptable)
        for statement in statements(document)
    )


def words(value: object) -> list[str]:
    """One string or a list of them, as a list."""
    if value is None:
        return []
    return [str(item) for item in cast("list[object]", value)] if isinstance(value, list) else [str(value)]


def _everybody(principal: object) -> bool:
    return principal == "*" or (isinstance(principal, Mapping) and "*" in words(cast("Document", principal).get("AWS")))


def _covers(resources: list[str], arn: str) -> bool:
    return "*" in resources or {arn, f"{arn}/*"} <= set(resources) or f"{arn}*" in resources


def _just(condition: object, test: str, key: str, acceptable: Iterable[str]) -> bool:
    """Names of tests and keys are case-insensitive in AWS."""
    if not isinstance(condition, Mapping) or len(cast("Document", condition)) != 1:
        return False
    ((operator, tested),) = cast("Mapping[str, Mapping[str, object]]", condition).items()
    if operator.lower() != test.lower() or len(tested) != 1:
        return False
    ((name, value),) = tested.items()
    values = [word.lower() for word in words(value)]
    return name.lower() == key.lower() and len(values) == 1 and values[0] in set(acceptable)


def _canonical(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name).lower(): _canonical(item) for name, item in cast("Document", value).items()}
    return sorted(words(value))
