"""Policies are compared by what they mean, not by how they are written."""

from __future__ import annotations

from typing import Any

import pytest

from infra import resource_policies
from infra.policy import allow, document
from scripts.verify.statements import denies, grants, statements

ARN = "arn:aws:s3:::recordings"
DENIAL: dict[str, Any] = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": [ARN, f"{ARN}/*"],
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}


def plain_http(*found: dict[str, Any]) -> bool:
    return denies({"Statement": list(found)}, ARN, "Bool", "aws:SecureTransport", ["false"])


def test_the_programs_own_policy_denies_both() -> None:
    document = resource_policies.bucket(ARN)
    assert denies(document, ARN, "Bool", "aws:SecureTransport", ["false"])
    assert denies(document, ARN, "NumericLessThan", "s3:TlsVersion", ["1.2"])


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"Principal": {"AWS": "*"}},
        {"Principal": {"AWS": ["*"]}},
        {"Action": ["S3:*"]},
        {"Action": "*"},
        {"Resource": "*"},
        {"Resource": f"{ARN}*"},
        {"Condition": {"bool": {"AWS:SecureTransport": ["false"]}}},
        {"Condition": {"Bool": {"aws:SecureTransport": False}}},
    ],
)
def test_other_words_for_the_same_denial_count(changes: dict[str, Any]) -> None:
    assert plain_http(DENIAL | changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"Effect": "Allow"},
        {"Principal": {"AWS": "arn:aws:iam::123456789012:root"}},
        {"Principal": {"Service": "*"}},
        {"Principal": None},
        {"Action": "s3:PutObject"},
        {"Resource": ARN},
        {"Resource": f"{ARN}/*"},
        {"Resource": [f"{ARN}/*", "arn:aws:s3:::another"]},
        {"Condition": {}},
        {"Condition": None},
        {"Condition": {"Bool": {"aws:SecureTransport": "true"}}},
        {"Condition": {"Bool": {"aws:SecureTransport": ["false", "true"]}}},
        {"Condition": {"BoolIfExists": {"aws:SecureTransport": "false"}}},
        {"Condition": {"Bool": {"aws:SecureTransport": "false", "aws:ViaAWSService": "false"}}},
        {"Condition": {"Bool": {"aws:SecureTransport": "false"}, "StringEquals": {"aws:username": "x"}}},
        {"Condition": {"Bool": {"aws:PrincipalIsAWSService": "false"}}},
    ],
)
def test_what_leaves_a_gap_does_not_count(changes: dict[str, Any]) -> None:
    assert not plain_http(DENIAL | changes)


def test_a_statement_may_stand_without_a_list_or_not_at_all() -> None:
    assert statements({"Statement": DENIAL}) == [DENIAL]
    assert statements({}) == []


def test_grants_are_equal_whatever_the_order_sid_and_lists() -> None:
    one = {"Statement": {"Sid": "A", "Effect": "Allow", "Action": ["s3:PutObject"], "Resource": ["r1", "r2"]}}
    two = {
        "Statement": [
            {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "r2"},
            {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "r1"},
        ]
    }
    assert grants(one) == grants(two)
    assert len(grants(one)) == 2


def test_a_condition_is_part_of_a_grant() -> None:
    free = document(allow("A", ["kms:Decrypt"], "key"))
    bound = document(allow("A", ["kms:Decrypt"], "key", {"StringEquals": {"kms:ViaService": "s3"}}))
    assert grants(free).isdisjoint(grants(bound))
    assert "under a condition" in str(next(iter(grants(bound))))
    assert "under a condition" not in str(next(iter(grants(free))))


def test_a_grant_by_exclusion_equals_nothing_written_out() -> None:
    (grant,) = grants({"Statement": {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}})
    assert grant.action == "everything but ['iam:*']"
    (other,) = grants({"Statement": {"Effect": "Allow", "Action": "s3:*", "NotResource": "x"}})
    assert other.resource == "*"
