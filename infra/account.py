"""The AWS account that the stack is made in."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi_aws as aws


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """Twelve-digit account id, and the partition its ARNs begin with (`aws`, `aws-us-gov`, `aws-cn`)."""

    id: str
    partition: str


def current() -> Account:
    """Ask AWS whose credentials these are."""
    return Account(id=aws.get_caller_identity().account_id, partition=aws.get_partition().partition)
