"""The data sources our program may ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import UnknownFunctionError
from .schema import Failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from .aws import Aws
    from .values import Props

_DNS_SUFFIX = "amazonaws.com"


def caller_identity(aws: Aws) -> Props:
    """`aws.get_caller_identity`: who the stand-in's credentials are."""
    who = aws.client("sts").get_caller_identity()
    return {"accountId": who["Account"], "arn": who["Arn"], "id": who["Account"], "userId": who["UserId"]}


def region(aws: Aws) -> Props:
    """`aws.get_region`: the region the stand-in was started for."""
    return {
        "description": aws.region,
        "endpoint": f"ec2.{aws.region}.{_DNS_SUFFIX}",
        "id": aws.region,
        "name": aws.region,
        "region": aws.region,
    }


def partition(aws: Aws) -> Props:  # noqa: ARG001 - all lookups are called alike
    """`aws.get_partition`: there is one."""
    return {"dnsSuffix": _DNS_SUFFIX, "id": "aws", "partition": "aws", "reverseDnsPrefix": "com.amazonaws"}


_LOOKUPS: dict[str, Callable[[Aws], Props]] = {
    "aws:index/getCallerIdentity:getCallerIdentity": caller_identity,
    "aws:index/getPartition:getPartition": partition,
    "aws:index/getRegion:getRegion": region,
}


def look_up(aws: Aws, function: str, arguments: Props) -> Props | list[Failure]:
    """Returns the answer of a data source, or what is wrong with its arguments (it takes none)."""
    if function not in _LOOKUPS:
        raise UnknownFunctionError(function)
    if arguments:
        reason = f"the local stand-in for pulumi-aws does not support an argument of {function}"
        return [Failure(name, f"{reason}: {name}") for name in arguments]
    return _LOOKUPS[function](aws)
