"""What a stack's state says is there: what would go, and what stays for the recordings' sake (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ROOT_TYPE = "pulumi:pulumi:Stack"
PROVIDER = "pulumi:providers:"
RECORDINGS = "callrec:RecordingBucket"
# With what it holds: who listened to the recordings.
PLAY_LOG = "callrec:PlayLog"
BUCKET = "aws:s3/bucket:Bucket"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"


@dataclass(frozen=True, kw_only=True, slots=True)
class Resource:
    """One resource of the state; `id` is its physical name, "" for a component."""

    urn: str
    type: str
    id: str
    parent: str

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Resource:
        """Read one entry of an exported state."""
        return cls(urn=entry["urn"], type=entry["type"], id=entry.get("id", ""), parent=entry.get("parent", ""))

    @property
    def kind(self) -> str:
        """Service and kind as people say it, e.g. `lambda Function`."""
        package, _, kind = self.type.rpartition(":")
        return f"{package.split(':')[-1].split('/')[0]} {kind}"

    @property
    def name(self) -> str:
        """The resource's name in the program."""
        return self.urn.rsplit("::", 1)[-1]


@dataclass(frozen=True, kw_only=True, slots=True)
class Split:
    """`going` and `staying` together are all resources but the stack itself and its providers."""

    going: Sequence[Resource]
    staying: Sequence[Resource]

    @classmethod
    def of(cls, deployment: Mapping[str, Any]) -> Split:
        """Part an exported state: the recordings' bucket and the log of who listened stay, with all below them."""
        resources = [
            resource
            for resource in map(Resource.of, deployment.get("resources") or [])
            if resource.type != ROOT_TYPE and not resource.type.startswith(PROVIDER)
        ]
        kept = _below(RECORDINGS, resources) | _below(PLAY_LOG, resources)
        return cls(
            going=[resource for resource in resources if resource.urn not in kept],
            staying=[resource for resource in resources if resource.urn in kept],
        )

    @property
    def everything(self) -> list[Resource]:
        """All of it."""
        return [*self.going, *self.staying]

    @property
    def buckets(self) -> list[str]:
        """Names of the buckets that stay, that of the recordings first."""
        named = {resource.name for resource in self.staying if resource.type == RECORDINGS}
        found = [resource for resource in self.staying if resource.type == BUCKET]
        return [resource.id for resource in sorted(found, key=lambda resource: resource.name not in named)]

    @property
    def logs(self) -> list[str]:
        """Names of the log groups that stay."""
        return [resource.id for resource in self.staying if resource.type == LOG_GROUP]


def deployed(deployment: Mapping[str, Any]) -> Mapping[str, Any]:
    """The output `bucketSettings` of the stack as it was last made; empty when it has none."""
    entries: list[Mapping[str, Any]] = deployment.get("resources") or []
    outputs: dict[str, Any] = {}
    for entry in entries:
        outputs |= (entry.get("outputs") or {}) if entry["type"] == ROOT_TYPE else {}
    return outputs.get("bucketSettings") or {}


def shown(resources: Iterable[Resource]) -> list[Resource]:
    """The resources that are something in AWS, by kind and name; components are just brackets."""
    real = [resource for resource in resources if resource.id]
    return sorted(real, key=lambda resource: (resource.kind, resource.id))


def unprotected(deployment: Mapping[str, Any]) -> dict[str, Any]:
    """The same state without anything that keeps resources from being deleted."""
    entries: list[Mapping[str, Any]] = deployment.get("resources") or []
    resources = [
        {name: value for name, value in entry.items() if name not in ("protect", "retainOnDelete")} for entry in entries
    ]
    return {**deployment, "resources": resources}


def _below(kind: str, resources: Sequence[Resource]) -> set[str]:
    """URNs of the components of a type, and of everything under them, at whatever depth and in whatever order."""
    found = {resource.urn for resource in resources if resource.type == kind}
    while more := {resource.urn for resource in resources if resource.parent in found} - found:
        found |= more
    return found
