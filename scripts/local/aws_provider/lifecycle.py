"""Check, diff, create, read, update and delete of any kind, in plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from .changes import (
    DEFAULTS,
    changed_props,
    check_inputs,
    inputs_of,
    merged_tags,
    needs_name_back,
    planned,
    remembered,
)
from .errors import ProviderError
from .iam_policies import as_text
from .schema import Failure, args_class, fields_of
from .schema import check as check_shape
from .values import UNKNOWN, holds_unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .aws import Aws
    from .resource import Kind, Prop
    from .values import Props

AWS_FAILURES = (ClientError, BotoCoreError, ProviderError)
"""Everything by which an operation on AWS fails."""


class HalfCreatedError(ProviderError):
    """The resource exists but is not as it was asked for; the engine must remember it all the same."""

    def __init__(self, identity: str, outputs: Props, cause: Exception) -> None:
        super().__init__(str(cause))
        self.identity = identity
        self.outputs = outputs
        self.cause = cause


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """Which properties differ, and whether a replacement must be deleted first."""

    props: tuple[Prop, ...]
    delete_first: bool


def check(
    kind: Kind, aws: Aws, inputs: Props, *, old: Props, name: str, tags: Mapping[str, str]
) -> Props | list[Failure]:
    """Returns the inputs as they go into the state, or what is wrong with them.

    `name` is what the resource is called if the program gives it no physical name: one that it has stays.
    """
    named = _with_name(kind, _policies_as_text(kind, merged_tags(kind, inputs, tags)), old, name)
    failures = check_inputs(kind, named)
    if named.get("region", aws.region) != aws.region:
        reason = f"region must be {aws.region}, where the local AWS was started"
        failures.append(Failure("region", reason))
    return failures or named


def _with_name(kind: Kind, inputs: Props, old: Props, proposed: str) -> Props:
    key = kind.autonamed
    if key is None or key in inputs:
        return inputs
    kept = inputs | {key: old.get(key), DEFAULTS: [key]}
    if key in old.get(DEFAULTS, []) and not any(failure.path == key for failure in kind.check(kept)):
        return kept
    return kept | {key: kind.physical_name(proposed, inputs)}


def _policies_as_text(kind: Kind, inputs: Props) -> Props:
    """A policy may be given as an object; pulumi-aws makes it JSON text before it goes into the state."""
    fields = fields_of(args_class(kind.resource))
    objects = {
        name: UNKNOWN if holds_unknown(value) else as_text(value)  # pyright: ignore[reportUnknownArgumentType]
        for name in ("assumeRolePolicy", "policy")
        if isinstance(value := inputs.get(name), dict) and not check_shape(fields[name].shape, value, name)
    }
    return inputs | objects


def diff(kind: Kind, wanted: Props, known: Props, ignored: Iterable[str] = ()) -> Difference:
    """Compares the checked inputs with the outputs in the state."""
    props = tuple(changed_props(kind, wanted, known, ignored))
    replaces = any(prop.replaces for prop in props)
    return Difference(props=props, delete_first=replaces and needs_name_back(kind, wanted, known))


def create(kind: Kind, aws: Aws, inputs: Props) -> tuple[str, Props]:
    """Returns id and outputs of a resource made now; `HalfCreatedError` when it exists but is not finished."""
    wanted = kind.filled(inputs)
    created = kind.create(aws, wanted)
    state = _without_marks(wanted) | created.extra
    try:
        kind.settle(aws, created.id, wanted)
        return created.id, _read_back(kind, aws, created.id, state)
    except AWS_FAILURES as error:
        raise HalfCreatedError(created.id, state, error) from error


def plan(kind: Kind, inputs: Props, known: Props | None = None) -> Props:
    """Returns the outputs a preview shows; touches nothing."""
    return planned(kind, inputs, known)


def read(kind: Kind, aws: Aws, identity: str, state: Props, old_inputs: Props) -> tuple[Props, Props] | None:
    """Returns outputs and inputs as AWS has them now, None when the resource is gone."""
    live = kind.read(aws, identity, state)
    if live is None:
        return None
    outputs = remembered(kind, live, state)
    return outputs, inputs_of(kind, outputs, old_inputs)


def update(kind: Kind, aws: Aws, identity: str, inputs: Props, *, state: Props, ignored: Iterable[str] = ()) -> Props:
    """Returns the outputs after AWS has been made to have `inputs`."""
    changed = frozenset(prop.name for prop in changed_props(kind, inputs, state, ignored))
    kind.update(aws, identity, kind.filled(inputs), changed, state)
    return _read_back(kind, aws, identity, _carried(kind, state) | _without_marks(kind.filled(inputs)))


def delete(kind: Kind, aws: Aws, identity: str, state: Props) -> None:
    """Removes the resource, if it is still there."""
    kind.delete(aws, identity, state)


def _read_back(kind: Kind, aws: Aws, identity: str, state: Props) -> Props:
    live: Any = kind.read(aws, identity, state)
    if live is None:
        raise ProviderError(f"{kind.pulumi_type} {identity} was gone right after it was written")
    return remembered(kind, live, state)


def _carried(kind: Kind, state: Props) -> Props:
    """Outputs that are no inputs; those that say which code runs are about to change."""
    return {name: value for name, value in state.items() if name not in kind.by_name and name not in kind.changing}


def _without_marks(inputs: Props) -> Props:
    return {name: value for name, value in inputs.items() if not name.startswith("__")}
