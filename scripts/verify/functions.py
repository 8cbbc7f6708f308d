"""The functions: there, active, and not stopped by anybody."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from scripts.deployment import Deployment
from scripts.verify.hop import Failed, Hop, code_of
from scripts.verify.probe import mend

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

PARTS = ("receive", "deliver", "play", "reconcile")
MAPPING = "functions.mapping"


def id_of(part: str) -> str:
    """Id of the hop about one function."""
    return f"functions.{part}"


def hops(deployment: Deployment) -> list[Hop]:
    """One hop a function, and one for what feeds `deliver`."""
    functions = Functions(
        client=deployment.aws.client("lambda"),
        names=dict(deployment.outputs.functions),
        mapping=deployment.outputs.deliver_mapping,
        mend=mend(deployment),
    )
    return [
        *(Hop(id=id_of(part), title=f"{part} is active", probe=partial(functions.active, part)) for part in PARTS),
        Hop(id=MAPPING, title="deliver is fed by the queue", probe=functions.fed),
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class Functions:
    """Physical names by part, and the event source mapping's UUID."""

    client: LambdaClient
    names: dict[str, str]
    mapping: str
    mend: str

    def active(self, part: str) -> str:
        """State, last update, and reserved concurrency, which stops a function when it is 0."""
        name = self.names[part]
        try:
            found = self.client.get_function_configuration(FunctionName=name)
            limits: Any = self.client.get_function_concurrency(FunctionName=name)
        except ClientError as error:
            if code_of(error) != "ResourceNotFoundException":
                raise
            raise Failed(f"there is no function {name}", cause="somebody deleted it", mend=self.mend) from None
        state, update = found.get("State", "Active"), found.get("LastUpdateStatus", "Successful")
        if state != "Active" or update == "Failed":
            seen = f"{name} is {state}, its last update {update}"
            raise Failed(seen, cause="AWS could not set the function up", mend=self.mend)
        reserved: int | None = limits.get("ReservedConcurrentExecutions")
        if reserved == 0:
            raise Failed(
                f"{name} is stopped: its reserved concurrency is 0",
                cause=f"somebody stopped {part} by hand",
                mend=f"aws lambda delete-function-concurrency --function-name {name}",
            )
        return state if reserved is None else f"{state}, at most {reserved} at once"

    def fed(self) -> str:
        """The event source mapping between queue and `deliver`."""
        try:
            found = self.client.get_event_source_mapping(UUID=self.mapping)
        except ClientError as error:
            if code_of(error) != "ResourceNotFoundException":
                raise
            raise Failed("no queue feeds deliver", cause="somebody deleted the mapping", mend=self.mend) from None
        state = found.get("State", "?")
        if state in ("Enabled", "Enabling", "Creating", "Updating"):
            return state
        raise Failed(
            f"{self.names['deliver']} is stopped: its event source mapping is {state}",
            cause="somebody stopped deliver by hand: what LiveKit sends waits in the queue",
            mend=f"aws lambda update-event-source-mapping --uuid {self.mapping} --enabled",
        )
