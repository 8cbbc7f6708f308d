"""The provider's own configuration: what a program may say in `aws:…` config or to `pulumi_aws.Provider`.

Endpoint and credentials are no part of it: the stand-in gets them when it is started.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pulumi_aws

from .schema import Failure, check, fields_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .values import Props

_IGNORED = frozenset(
    {
        "s3UsePathStyle",
        "skipCredentialsValidation",
        "skipMetadataApiCheck",
        "skipRegionValidation",
        "skipRequestingAccountId",
        "version",
    }
)
"""What makes no difference to the stand-in: it takes a region and an endpoint as they are."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderSettings:
    """What `Configure` keeps."""

    default_tags: Mapping[str, str] = field(default_factory=dict[str, str])


def check_settings(config: Props, region: str) -> list[Failure]:
    """Returns what the stand-in cannot do as configured; `region` is the one it was started for."""
    failures: list[Failure] = []
    known = fields_of(pulumi_aws.ProviderArgs)
    for name in config:
        if name not in known and name not in _IGNORED:
            failures.append(Failure(name, f"pulumi-aws has no configuration {name}"))
        elif name not in _IGNORED | {"region", "defaultTags"}:
            failures.append(Failure(name, f"the local stand-in for pulumi-aws does not support configuration {name}"))
    failures += _check_tags(config)
    if config.get("region", region) != region:
        reason = f"aws:region must be {region}, where the local AWS was started, not {config['region']}"
        failures.append(Failure("region", reason))
    return failures


def settings_of(config: Props) -> ProviderSettings:
    """Returns the settings of a configuration that was checked; nested values arrive as JSON texts."""
    return ProviderSettings(default_tags=_parsed_tags(config).get("tags", {}))


def _check_tags(config: Props) -> list[Failure]:
    try:
        given = _parsed_tags(config)
    except ValueError:
        return [Failure("defaultTags", "aws:defaultTags must be a JSON object")]
    shape = fields_of(pulumi_aws.ProviderArgs)["defaultTags"].shape
    return check(shape, given, "defaultTags") if "defaultTags" in config else []


def _parsed_tags(config: Props) -> Any:
    given: Any = config.get("defaultTags", {})
    return json.loads(given) if isinstance(given, str) else given
