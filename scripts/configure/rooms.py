"""The part `rooms`: which rooms `deliver` begins to record by itself. Configuration of the stack, applied by Pulumi."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from infra.functions.start_policy import Policy
from scripts.deployment import Deployment
from scripts.verify.probe import mend


@dataclass(frozen=True, kw_only=True, slots=True)
class RoomsPlan:
    """`asked`, `policy`: as configured; `runs`: as `deliver` was last deployed (None: nothing is recorded by it).

    `up` is the command that applies the configuration.
    """

    stack: str
    up: str
    asked: bool
    policy: Policy
    runs: Policy | None

    @classmethod
    def of(cls, deployment: Deployment) -> Self:
        """Read the stack's configuration, and the settings that `deliver` has. Raises what AWS refuses."""
        config = deployment.config
        name = deployment.outputs.functions["deliver"]
        answer: Any = deployment.aws.client("lambda").get_function_configuration(FunctionName=name)
        variables: Mapping[str, str] = answer.get("Environment", {}).get("Variables", {})
        return cls(
            stack=deployment.stack,
            up=mend(deployment),
            asked=config.get("recordRooms") == "true",
            policy=Policy.of(config.get("recordInclude", ""), config.get("recordExclude", "")),
            runs=_deployed(variables),
        )

    @property
    def pending(self) -> bool:
        """Whether what is configured is not what runs."""
        return self.runs != (self.policy if self.asked else None)

    def lines(self) -> Generator[str]:
        """For people."""
        if self.pending:
            yield f"recordRooms is {'true' if self.asked else 'not set'}, but deployed otherwise. Apply it: {self.up}"
        elif self.asked:
            yield "rooms made elsewhere are recorded, from the first person who joins (recordRooms is true)"
        else:
            yield "rooms made elsewhere are not recorded (recordRooms is not set)"
        yield f"{'recorded are' if self.asked else 'it would record'}: {_names(self.policy.include)}"
        yield f'never: {_names(self.policy.exclude)}, rooms with the metadata {{"record": false}}, agents by themselves'
        if self.asked:
            yield f"Other names: {self._set('set recordExclude NAME,NAME-*')}"
            yield f"Turn it off: {self._set('rm recordRooms')}"
        else:
            yield f"Turn it on: {self._set('set recordRooms true')}"

    def document(self) -> dict[str, Any]:
        """For programs."""
        return {
            "recordRooms": self.asked,
            "pending": self.pending,
            "include": list(self.policy.include),
            "exclude": list(self.policy.exclude),
        }

    def _set(self, words: str) -> str:
        return f"pulumi config {words} --stack {self.stack}, then {self.up}"


def _names(patterns: tuple[str, ...]) -> str:
    return "rooms of every name" if "*" in patterns else f"rooms named {', '.join(patterns)}"


def _deployed(variables: Mapping[str, str]) -> Policy | None:
    if variables.get("CALLREC_RECORD_ROOMS") != "true":
        return None
    return Policy.of(variables.get("CALLREC_RECORD_INCLUDE", ""), variables.get("CALLREC_RECORD_EXCLUDE", ""))
