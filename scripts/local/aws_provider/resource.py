"""What one resource type of the stand-in is: its properties and the five things that can be done with it."""

# ruff: noqa: ARG002 - every kind has the same methods, and few need all that they are given

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from .equality import same

if TYPE_CHECKING:
    from collections.abc import Callable

    from .aws import Aws
    from .schema import Failure
    from .values import Props


@dataclass(frozen=True, kw_only=True, slots=True)
class Prop:
    """An input property that the stand-in maps, of all those that pulumi-aws has.

    `default` is what AWS has when the program says nothing; with `computed` somebody else chooses then, and no
    difference is seen. `write_only`: AWS never tells it, so it is carried in the state. `nested` names what is
    supported inside an object, as dotted paths without list indices; None means everything.
    """

    name: str
    default: Any = None
    computed: bool = False
    replaces: bool = False
    write_only: bool = False
    same: Callable[[Any, Any], bool] = same
    nested: frozenset[str] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Created:
    """A resource that exists now; `extra` are outputs that AWS tells only once."""

    id: str
    extra: Props = field(default_factory=dict[str, Any])


def nested(*paths: str) -> frozenset[str]:
    """Returns the paths together with all the objects on the way to them."""
    parts = [path.split(".") for path in paths]
    return frozenset(".".join(names[: length + 1]) for names in parts for length in range(len(names)))


class Kind(ABC):
    """One resource type. `update` gets what changed; every method may raise botocore's `ClientError`."""

    pulumi_type: ClassVar[str]
    resource: ClassVar[type]
    props: ClassVar[tuple[Prop, ...]]
    autonamed: ClassVar[str | None] = None
    identified_by: ClassVar[tuple[str, ...]] = ()
    """For kinds without a name: the inputs that, together, only one resource at a time may have."""
    name_length: ClassVar[int] = 255
    secrets: ClassVar[frozenset[str]] = frozenset()
    changing: ClassVar[frozenset[str]] = frozenset()
    """Outputs that any update may change, so that a preview shows them as not known yet."""

    def __init__(self) -> None:
        self.by_name = {prop.name: prop for prop in self.props}

    def filled(self, inputs: Props) -> Props:
        """Returns the inputs with AWS's defaults where the program says nothing."""
        defaults = {prop.name: prop.default for prop in self.props if prop.default is not None}
        return defaults | inputs

    def physical_name(self, proposed: str, inputs: Props) -> str:
        """Returns the name for a resource the program gave none."""
        return proposed[: self.name_length]

    def check(self, inputs: Props) -> list[Failure]:
        """Returns what is wrong with inputs whose types are right."""
        return []

    @abstractmethod
    def create(self, aws: Aws, inputs: Props) -> Created:
        """Makes the resource by as few calls as make it exist."""

    def settle(self, aws: Aws, identity: str, inputs: Props) -> None:  # noqa: B027 - most kinds need nothing more
        """Does what `create` left to do; fails without losing the resource."""

    @abstractmethod
    def read(self, aws: Aws, identity: str, state: Props) -> Props | None:
        """Returns what AWS says now, None when the resource is gone; `state` is what was last known (or empty)."""

    @abstractmethod
    def update(self, aws: Aws, identity: str, inputs: Props, changed: frozenset[str], state: Props) -> None:
        """Makes AWS have `inputs` (defaults filled in); only those in `changed` differ from the outputs in `state`."""

    @abstractmethod
    def delete(self, aws: Aws, identity: str, state: Props) -> None:
        """Removes the resource; one that is gone already is no failure."""


class ReplacedKind(Kind):
    """A kind every change of which makes a new resource."""

    def update(self, aws: Aws, identity: str, inputs: Props, changed: frozenset[str], state: Props) -> None:
        """Does nothing: the engine never asks for it, except for what is only carried in the state."""
