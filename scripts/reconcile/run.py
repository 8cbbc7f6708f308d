"""Having the function run: one invocation for each piece of time, each waited for and never asked for twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError, ReadTimeoutError

from infra.functions import protojson
from scripts.deployment import Deployment
from scripts.errors import StackError
from scripts.guarded import RIGHTS, refusal
from scripts.reconcile.answer import Answer
from scripts.reconcile.span import Piece
from scripts.verify.hop import code_of
from scripts.verify.probe import mend

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

#: Longer than the function may take, by what an answer takes.
PATIENCE_SECONDS = 900


@dataclass(frozen=True, kw_only=True, slots=True)
class Reconciler:
    """The function of one stack. `mend` is the command that makes the stack as it should be."""

    client: LambdaClient = field(repr=False)
    name: str
    stack: str
    log_group: str
    mend: str

    @classmethod
    def of(cls, deployment: Deployment) -> Reconciler:
        """No request is made."""
        return cls(
            client=deployment.aws.invoker(PATIENCE_SECONDS),
            name=deployment.outputs.functions["reconcile"],
            stack=deployment.stack,
            log_group=deployment.outputs.log_groups["reconcile"],
            mend=mend(deployment),
        )

    def run(self, piece: Piece, *, dry_run: bool) -> Answer:
        """Wait for one run, up to PATIENCE_SECONDS.

        Raises StackError when it could not run, with the command that helps.
        """
        asked = {
            "by_hand": True,
            "since_seconds": piece.since,
            "until_seconds": piece.until,
            "dry_run": dry_run,
        }
        try:
            answer: Any = self.client.invoke(FunctionName=self.name, Payload=json.dumps(asked))
            content: bytes = answer["Payload"].read()
        except ReadTimeoutError:
            raise self._failed(f"{self.name} did not answer within {PATIENCE_SECONDS} s") from None
        except ClientError as error:
            raise self._refused(error) from None
        if answer.get("FunctionError"):
            raise self._failed(f"{self.name} broke off ({_error_type(content)})")
        try:
            return Answer.of(_parsed(content))
        except StackError as error:
            raise self._failed(f"{self.name}: {error}") from None

    def _failed(self, sentence: str) -> StackError:
        return StackError(f"{sentence}. Its log says more: aws logs tail {self.log_group} --since 20m")

    def _refused(self, error: ClientError) -> StackError:
        """What AWS's own codes mean here; its texts stay out."""
        code = code_of(error)
        if code == "ResourceNotFoundException":
            return StackError(f"there is no function {self.name}: somebody deleted it. Run: {self.mend}")
        if code == "TooManyRequestsException":
            reason = error.response.get("Reason") or code
            return StackError(
                f"AWS lets no more of {self.name} run at once ({reason}): other runs are at work, or somebody stopped "
                f"it. Wait some minutes; what stops it says: callrec verify --stack {self.stack}"
            )
        return StackError(f"{refusal(error)}. {RIGHTS}")


def run_all(
    reconciler: Reconciler, todo: list[Piece], *, dry_run: bool, on_start: Callable[[Piece], None]
) -> list[Answer]:
    """One run for each piece.

    Raises StackError with how far it came; what is done stays done, and doing it again is harmless.
    """
    answers: list[Answer] = []
    for piece in todo:
        on_start(piece)
        try:
            answers.append(reconciler.run(piece, dry_run=dry_run))
        except StackError as error:
            raise StackError(_so_far(answers, todo, error)) from None
        except BotoCoreError as error:
            if not answers:
                raise
            raise StackError(_so_far(answers, todo, refusal(error))) from None
    return answers


def _so_far(answers: list[Answer], todo: list[Piece], error: object) -> str:
    return f"{error}. {len(answers)} of {len(todo)} days were done before" if answers else str(error)


def _error_type(content: bytes) -> str:
    """The type of the error alone: its text may quote anything."""
    fields = protojson.as_object(_parsed(content))
    if "Task timed out" in (protojson.text(fields, "errorMessage") or ""):
        return "it ran out of time; take a shorter --since"
    return protojson.text(fields, "errorType") or "no reason given"


def _parsed(content: bytes) -> object:
    try:
        return json.loads(content)
    except ValueError:
        return None
