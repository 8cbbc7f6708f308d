"""Checks inputs against pulumi-aws's own Python argument types.

The types are read with the Pulumi SDK's own reader of them, so what the stand-in accepts cannot drift from the
installed pulumi-aws: names, required ones, scalars, lists, maps, nested argument classes, archives.
"""

from __future__ import annotations

import enum
import functools
import inspect
import sys
import types
import typing
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import pulumi
from pulumi import _types as sdk_types  # pyright: ignore[reportPrivateUsage] - the only reader of its own types

from .values import Archive, Unknown


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing that is wrong with an input: where (a property path) and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Scalar:
    """A boolean, integer, number or string."""

    name: str


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list whose items all have one shape."""

    item: Shape


@dataclass(frozen=True, slots=True)
class MapOf:
    """An object with free keys and values of one shape."""

    item: Shape


@dataclass(frozen=True, slots=True)
class ArchiveShape:
    """A `pulumi.Archive`."""


@dataclass(frozen=True, slots=True)
class ObjectOf:
    """An object of a pulumi-aws argument class; its fields are read when first looked at."""

    args: type


@dataclass(frozen=True, slots=True)
class Either:
    """Any one of several shapes."""

    options: tuple[Shape, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """A property of an argument class."""

    shape: Shape
    required: bool


Shape: TypeAlias = "Scalar | ListOf | MapOf | ArchiveShape | ObjectOf | Either"

_SCALARS: dict[Any, Scalar] = {
    bool: Scalar("boolean"),
    int: Scalar("integer"),
    float: Scalar("number"),
    str: Scalar("string"),
}


def args_class(resource: type) -> type:
    """Returns the class of a resource's arguments (`InitArgs` where a nested class has taken the name)."""
    module = sys.modules[resource.__module__]
    for suffix in ("InitArgs", "Args"):
        found = getattr(module, resource.__name__ + suffix, None)
        if isinstance(found, type) and found.__module__ == resource.__module__:
            return found
    raise TypeError(f"{resource.__name__} has no arguments class in {resource.__module__}")


@functools.cache
def fields_of(args: type) -> Mapping[str, Field]:
    """Returns the properties of an arguments class by their Pulumi (camelCase) names."""
    parameters = inspect.signature(args.__init__).parameters
    hints = sdk_types.input_type_types(args)
    return {
        name: Field(shape=_shape_of(hints[name]), required=parameters[python].default is inspect.Parameter.empty)
        for python, name in sdk_types.input_type_py_to_pulumi_names(args).items()
    }


@functools.cache
def output_names(resource: type) -> frozenset[str]:
    """Returns the names of everything the resource tells once it exists."""
    return frozenset(sdk_types.resource_types(resource))


def check_object(args: type, value: Mapping[str, Any], path: str = "") -> list[Failure]:
    """Returns every way in which `value` is not what `args` takes; keys of the bridge's own (`__…`) pass."""
    known = fields_of(args)
    name = args.__name__.removesuffix("InitArgs").removesuffix("Args")
    failures = [
        Failure(_join(path, key), f"{name} has no such property: {_join(path, key)}")
        for key in value
        if key not in known and not key.startswith("__")
    ]
    for key, field in known.items():
        if key in value:
            failures += check(field.shape, value[key], _join(path, key))
        elif field.required:
            failures.append(Failure(_join(path, key), f"missing required property: {_join(path, key)}"))
    return failures


def check(shape: Shape, value: Any, path: str) -> list[Failure]:
    """Returns every way in which `value`, found at `path`, has not the given shape; unknown values pass."""
    failures: list[Failure] = []
    match shape:
        case _ if isinstance(value, Unknown) or _is_plain(shape, value):
            pass
        case ObjectOf(args) if isinstance(value, dict):
            failures = check_object(args, typing.cast("dict[str, Any]", value), path)
        case ListOf(item) if isinstance(value, list):
            for index, entry in enumerate(typing.cast("list[Any]", value)):
                failures += check(item, entry, f"{path}[{index}]")
        case MapOf(item) if isinstance(value, dict):
            for key, entry in typing.cast("dict[str, Any]", value).items():
                failures += check(item, entry, _join(path, key))
        case Either(options):
            failures = min((check(option, value, path) for option in options), key=len)
        case _:
            failures = [Failure(path, f"{path} must be {_describe(shape)}, not {_describe_value(value)}")]
    return failures


def _is_plain(shape: Shape, value: Any) -> bool:
    match shape:
        case Scalar("boolean"):
            return isinstance(value, bool)
        case Scalar("integer"):
            return isinstance(value, int) and not isinstance(value, bool)
        case Scalar("number"):
            return isinstance(value, int | float) and not isinstance(value, bool)
        case Scalar():
            return isinstance(value, str)
        case ArchiveShape():
            return isinstance(value, Archive)
        case _:
            return False


def _describe(shape: Shape) -> str:
    match shape:
        case Scalar(name):
            return f"an {name}" if name == "integer" else f"a {name}"
        case ListOf():
            return "a list"
        case ArchiveShape():
            return "an archive"
        case _:
            return "an object"


def _describe_value(value: Any) -> str:
    """Names the kind of a value and never the value, which may be a secret."""
    kinds = ((bool, "a boolean"), (int, "an integer"), (float, "a number"), (str, "a string"), (list, "a list"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "an object")


def _shape_of(hint: Any) -> Shape:
    options = tuple(dict.fromkeys(_options(hint)))
    return options[0] if len(options) == 1 else Either(options)


def _options(hint: Any) -> list[Shape]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return [option for argument in arguments for option in _options(argument)]
    if origin in (Awaitable, pulumi.Output) or hint is type(None):
        return []  # `Input[T]` is T, an awaitable or an output: only T ever crosses the wire
    return [_option(hint, origin, arguments)]


def _option(hint: Any, origin: Any, arguments: tuple[Any, ...]) -> Shape:
    if origin is Sequence:
        return ListOf(_shape_of(arguments[0]))
    if origin is Mapping:
        return MapOf(_shape_of(arguments[1]))
    if hint in _SCALARS:
        return _SCALARS[hint]
    if issubclass(hint, enum.Enum):
        return _SCALARS[str]  # an enum is sent as its value, and every one of pulumi-aws is of strings
    return ArchiveShape() if issubclass(hint, pulumi.Archive) else ObjectOf(hint)


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
