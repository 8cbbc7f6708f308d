"""Compares what the program wants with what is known of a resource. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from .schema import Failure, args_class, check_object, output_names
from .values import UNKNOWN, holds_unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .resource import Kind, Prop
    from .values import Props

DEFAULTS = "__defaults"
"""Where the bridge of pulumi-aws keeps which inputs it made up (a name it gave) in the inputs themselves."""


def changed_props(kind: Kind, wanted: Props, known: Props, ignored: Iterable[str] = ()) -> list[Prop]:
    """Returns the properties in which what is wanted differs from what is known, but for the `ignored` paths."""
    unseen = {re.split(r"[.\[]", path, maxsplit=1)[0] for path in ignored}
    return [
        prop
        for prop in kind.props
        if prop.name not in unseen and _differs(prop, wanted.get(prop.name), known.get(prop.name))
    ]


def _differs(prop: Prop, wanted: Any, known: Any) -> bool:
    if wanted is None and prop.computed:
        return False
    wanted = prop.default if wanted is None else wanted
    known = prop.default if known is None else known
    return holds_unknown(wanted) or not prop.same(wanted, known)


def needs_name_back(kind: Kind, wanted: Props, known: Props) -> bool:
    """Whether a replacement must take the same physical name, so that the old one has to go first."""
    name = kind.autonamed
    if name is None:
        return bool(kind.identified_by) and _identifying(kind, wanted) == _identifying(kind, known)
    return name not in wanted.get(DEFAULTS, []) and wanted.get(name) == known.get(name)


def _identifying(kind: Kind, props: Props) -> tuple[Any, ...]:
    return tuple(props.get(name) for name in kind.identified_by)


def unsupported(kind: Kind, inputs: Props) -> list[Failure]:
    """Returns a failure for each property that pulumi-aws has and the stand-in does not map, nested ones too."""
    paths: list[str] = []
    for name, value in inputs.items():
        if name.startswith("__"):
            continue
        prop = kind.by_name.get(name)
        if prop is None:
            paths.append(name)
        elif prop.nested is not None:
            paths += [f"{name}.{path}" for path in _paths_of(value) if path not in prop.nested]
    return [
        Failure(path, f"the local stand-in for pulumi-aws does not support {path} of {kind.pulumi_type}")
        for path in paths
    ]


def _paths_of(value: Any) -> list[str]:
    if isinstance(value, list):
        return list(dict.fromkeys(path for item in cast("list[Any]", value) for path in _paths_of(item)))
    if not isinstance(value, dict):
        return []
    paths: list[str] = []
    for name, item in cast("dict[str, Any]", value).items():
        paths += [name, *(f"{name}.{path}" for path in _paths_of(item))]
    return paths


def check_inputs(kind: Kind, inputs: Props) -> list[Failure]:
    """Returns everything that is wrong with the inputs: against pulumi-aws's types, the stand-in, the kind."""
    failures = check_object(args_class(kind.resource), inputs)
    wrong = {failure.path for failure in failures}
    failures += [failure for failure in unsupported(kind, inputs) if failure.path not in wrong]
    return failures or kind.check(inputs)


def planned(kind: Kind, inputs: Props, known: Props | None = None) -> Props:
    """Returns the outputs a preview may promise: known ones, and `UNKNOWN` for what only AWS will tell."""
    wanted = {name: value for name, value in kind.filled(inputs).items() if not name.startswith("__")}
    if known is None:
        told = {prop.name for prop in kind.props if not prop.computed}
        return dict.fromkeys(output_names(kind.resource) - told, UNKNOWN) | wanted
    kept = {name: value for name, value in known.items() if name not in kind.by_name or kind.by_name[name].computed}
    return kept | dict.fromkeys(kind.changing, UNKNOWN) | wanted


def remembered(kind: Kind, live: Props, state: Props) -> Props:
    """Returns the outputs for what AWS says: its words, except where the state says the same in other words."""
    outputs = dict(live)
    for prop in kind.props:
        before = state.get(prop.name)
        if before is None:
            continue
        untold = prop.write_only and prop.name not in live
        if untold or (live.get(prop.name) is not None and prop.same(before, live[prop.name])):
            outputs[prop.name] = before
    return {name: value for name, value in outputs.items() if value is not None}


def inputs_of(kind: Kind, outputs: Props, old_inputs: Props) -> Props:
    """Returns the inputs that would have led to `outputs`: the old ones where they still hold.

    Without old inputs (an import) everything is told that is not AWS's default.
    """
    inputs: Props = {name: value for name, value in old_inputs.items() if name.startswith("__")}
    for prop in kind.props:
        live, before = outputs.get(prop.name), old_inputs.get(prop.name)
        if before is not None:
            value = before if prop.same(before, live) else live
        elif prop.computed and old_inputs:
            value = None
        else:
            value = None if live is None or prop.same(prop.default, live) else live
        if value is not None:
            inputs[prop.name] = value
    return inputs


def merged_tags(kind: Kind, inputs: Props, default_tags: Mapping[str, str]) -> Props:
    """Returns the inputs with the provider's default tags under their own, as pulumi-aws does before it checks."""
    own = inputs.get("tags", {})
    if not default_tags or "tags" not in kind.by_name or not isinstance(own, dict):
        return inputs
    return inputs | {"tags": {**default_tags, **own}}
