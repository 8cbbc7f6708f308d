"""`deliver`: verified events come from the queue; a call begins to be recorded, an ended recording becomes a link.

A batch costs at most one list and one PATCH in Airtable; LiveKit is asked beside that (see starting.py). What cannot be
done yet goes back to the queue for later; what never can, or could not for a day, goes to the dead-letter queue with
the reason.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from . import aws, livekit_egress, settings
from .airtable import Airtable, connect
from .alarms import Alarms
from .conversations import Conversations
from .deadline import Deadline, MayGoOn
from .errors import BadEventError, DeliveryError, ErasedError, FaultError, PermanentError, SecretError, WaitError
from .links import Links
from .livekit_webhook import Event, parse_event
from .log import fault, log, metric
from .messages import Batch, Message, Queue
from .objects import find_version
from .probes import fail_unless_over
from .recording import Recording, check_place
from .secret import SecretCache, Secrets, reader
from .start_settings import StartSettings
from .starting import Starting
from .writing import Job, Writer

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

_CONFIG = aws.config(connect=2, read=3, attempts=2)
#: Lambda's time for the function, unless its context says better.
TIMEOUT_SECONDS = 60
#: What one more request to Airtable, and the verdicts to the queue, may take together.
RESERVE_SECONDS = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """What a batch needs. `start`: None where no recordings are started; `clock` in unix seconds."""

    settings: settings.DeliverSettings
    secrets: SecretCache
    sqs: SQSClient
    s3: S3Client
    conversations: Conversations
    start: StartSettings | None = None
    clock: Callable[[], float] = time.time


@cache
def app() -> App:
    """The App of this process."""
    configured = settings.DeliverSettings.from_env()
    secrets = SecretCache(reader(aws.client("secretsmanager", _CONFIG), configured.secret_arn))
    secrets.warm()
    start = StartSettings.from_env()
    if start is not None:
        livekit_egress.warm()
    return App(
        settings=configured,
        secrets=secrets,
        sqs=aws.client("sqs", _CONFIG),
        s3=aws.client("s3", _CONFIG),
        conversations=Conversations(Airtable(connect(configured.airtable), configured.airtable)),
        start=start,
    )


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry. Raises FaultError for what nobody foresaw: all comes again, and Lambda counts an error."""
    messages = [Message.from_record(record) for record in event["Records"]]
    try:
        name = str(getattr(context, "function_name", "deliver"))
        return deliver(messages, app(), name, Deadline.of(context, TIMEOUT_SECONDS))
    except Exception as error:  # noqa: BLE001  # without a traceback that quotes bodies
        log("error", "deliver_failed", error=fault(error))
        raise FaultError(fault(error)) from None


def deliver(messages: list[Message], to: App, function: str, deadline: Deadline | None = None) -> dict[str, Any]:
    """Work on one batch and answer with the messages that are to come again."""
    batch, alarms = Batch(messages), Alarms(function=function)
    may_go_on = partial((deadline or Deadline.of(None, TIMEOUT_SECONDS)).allows, RESERVE_SECONDS)
    try:
        delivered = _deliver(batch, to, to.secrets.get(), alarms, may_go_on)
    except SecretError:
        delivered = 0
        _fail_open(batch, WaitError("secret_unavailable", "the secret cannot be read"))
    if delivered:
        metric(function, "delivered", delivered)
    queue = Queue(
        sqs=to.sqs,
        url=to.settings.queue_url,
        dead_letter_url=to.settings.dead_letter_url,
        function=function,
        settle_seconds=to.settings.settle_seconds,
    )
    answer = queue.conclude(batch, to.clock())
    alarms.conclude({failure["itemIdentifier"] for failure in answer["batchItemFailures"]})
    to.conversations.airtable.rest()
    return answer


def _deliver(batch: Batch, to: App, secrets: Secrets, alarms: Alarms, may_go_on: MayGoOn) -> int:
    """Everything up to the verdicts; returns how many recordings are where they belong now."""
    to.conversations.airtable.use_token(secrets.airtable_token)
    starting = Starting(to.start and to.start.starter(secrets), alarms.function)
    recordings = _read(batch, starting, to, alarms)
    starting.begin()
    writer = Writer(
        conversations=to.conversations,
        links=Links(secrets.link_keys, to.clock),
        settings=to.settings,
        may_go_on=may_go_on,
        clock=to.clock,
    )
    try:
        return writer.write(batch, _with_versions(batch, recordings, to))
    except DeliveryError as error:
        _fail_open(batch, error)
    except Exception as error:  # noqa: BLE001  # a fault of ours: later, a mended version may do it
        log("error", "batch_failed", error=fault(error))
        _fail_open(batch, _ours())
    finally:
        starting.conclude(batch)
    return 0


def _fail_open(batch: Batch, error: DeliveryError) -> None:
    for message in batch.open():
        batch.fail(message, error)


def _ours() -> WaitError:
    return WaitError("fault", "an unexpected error, see the function's log")


def _read(batch: Batch, starting: Starting, to: App, alarms: Alarms) -> dict[str, Recording]:
    """Message id → recording, for the messages that announce one of ours; what is to be recorded, to `starting`."""
    recordings: dict[str, Recording] = {}
    for message in batch.messages:
        try:
            event = _event(message)
            starting.add(message, event, to.clock())
            recording = _recording(event, to)
        except DeliveryError as error:
            batch.fail(message, error)
        except Exception as error:  # noqa: BLE001  # never fails its neighbours
            log("error", "message_failed", error=fault(error), message=message.id)
            batch.fail(message, _ours())
        else:
            if recording is None:
                batch.done(message)
                continue
            recordings[message.id] = recording
            alarms.see(message, recording)
    return recordings


def _event(message: Message) -> Event:
    try:
        return parse_event(message.body.encode("utf-8"))
    except (BadEventError, UnicodeEncodeError):
        raise PermanentError("bad_message", "the message is not a LiveKit event") from None


def _recording(event: Event, to: App) -> Recording | None:
    """The recording an event announces; None when it announces something else."""
    if event.event != "egress_ended":
        return None
    recording = Recording.from_payload(event.payload)
    if recording is not None:
        check_place(recording, to.settings.bucket, to.settings.prefix)
    return recording


def _with_versions(batch: Batch, recordings: Mapping[str, Recording], to: App) -> dict[str, Job]:
    """Fails alone: what S3 refuses. Fails all that need S3: S3 not answering, as asking ten times takes too long."""
    jobs: dict[str, Job] = {}
    outage = False
    for message in batch.messages:
        if message.id not in recordings or message not in batch.open():
            continue
        recording = recordings[message.id]
        if outage:
            batch.fail(message, WaitError("storage_unavailable", "the bucket does not answer"))
            continue
        try:
            version = find_version(recording, to.s3, to.settings.bucket)
        except ErasedError:
            log("info", "erased", egress=recording.egress_id)
            batch.done(message)
        except DeliveryError as error:
            fail_unless_over(batch, message, recording, error, to.clock())
        except Exception as error:  # noqa: BLE001
            log("error", "list_versions_failed", error=fault(error), message=message.id)
            outage = not isinstance(error, ClientError)
            batch.fail(message, WaitError("storage_unavailable", "the bucket cannot be listed"))
        else:
            jobs[message.id] = Job(message=message, recording=recording, version=version)
    return jobs


if settings.in_lambda():
    app()
