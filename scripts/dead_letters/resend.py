"""Sending letters back to the queue they came from: sent first, deleted then, so that none is ever nowhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from scripts.dead_letters.letter import Letter
from scripts.dead_letters.listing import HOLD_SECONDS, LONGEST_SECONDS, Say
from scripts.dead_letters.queue import Hold, held
from scripts.guarded import refusal
from scripts.interruption import Interrupted, postponed

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# How long a letter that is being sent stays hidden when the command is killed: well below the 5 minutes in which SQS
# drops a message of the same deduplication id, so that the next run's second copy is dropped.
SENDING_SECONDS = 120


@dataclass(kw_only=True, slots=True)
class Sent:
    """What a run did so far. `copies`: id of the letter → id of the message it became in the queue.

    `stayed`: sent letters that still lie in the dead-letter queue. `stopped`: why it ended early. `again`: letters of
    this very run that were given up once more meanwhile.
    """

    letters: dict[str, Letter] = field(default_factory=dict[str, Letter])
    copies: dict[str, str] = field(default_factory=dict[str, str])
    stayed: dict[str, str] = field(default_factory=dict[str, str])
    passed_over: set[str] = field(default_factory=set[str])
    again: set[str] = field(default_factory=set[str])
    stopped: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Redrive:
    """From one queue to the other. `chosen` says which letters."""

    sqs: SQSClient = field(repr=False)
    dead_letter_url: str
    url: str
    chosen: Callable[[Letter], bool]
    clock: Callable[[], float] = time.monotonic

    def run(self, sent: Sent, expected: int, say: Say) -> None:
        """Send every chosen letter back, in the order of its group, and note it in `sent`; the others stay untouched.

        Raises what AWS refused, or Interrupted, only while nothing is sent; afterwards `sent.stopped` says it.
        """
        try:
            with held(self.sqs, self.dead_letter_url, SENDING_SECONDS) as hold:
                self._through(hold, sent, expected, say)
        except Interrupted:
            if not sent.copies:
                raise
            sent.stopped = "interrupted"
        except (ClientError, BotoCoreError) as error:
            if not sent.copies:
                raise
            sent.stopped = refusal(error)

    def _through(self, hold: Hold, sent: Sent, expected: int, say: Say) -> None:
        until = self.clock() + LONGEST_SECONDS
        while taken := hold.take():
            wanted = [letter for letter in taken if self._is_wanted(letter, sent)]
            others = [letter for letter in taken if letter not in wanted]
            sent.passed_over |= {letter.id for letter in others} - sent.again
            hold.keep(others, HOLD_SECONDS)
            self._send(hold, wanted, sent)
            say(f"{len(sent.copies)} sent, of about {max(expected, len(sent.copies))} letters")
            if self.clock() > until:
                sent.stopped = "it took too long"
                return

    def _is_wanted(self, letter: Letter, sent: Sent) -> bool:
        """What this run sent and `deliver` gave up again is not sent once more: that would never end."""
        copies = sent.copies.values()
        if letter.id in copies or letter.deduplication_id in copies:
            sent.again.add(letter.id)
            return False
        return self.chosen(letter)

    def _send(self, hold: Hold, letters: list[Letter], sent: Sent) -> None:
        """Send each, then delete those that were sent, whatever comes between: also an error, also a signal."""
        done: list[Letter] = []
        with postponed() as asked_to_stop:
            try:
                for letter in letters:
                    if asked_to_stop():
                        break
                    sent.copies[letter.id] = self._copy(letter)
                    sent.letters[letter.id] = letter
                    done.append(letter)
            finally:
                sent.stayed |= {letter.id: "not tried" for letter in done}
                stayed = hold.delete(done)
                for letter in done:
                    del sent.stayed[letter.id]
                sent.stayed |= stayed

    def _copy(self, letter: Letter) -> str:
        """The id of the message in the queue.

        The deduplication id is new, so that the event is not taken for a repetition, and always the same for one
        letter: sent again within 5 minutes, SQS drops the copy and answers with the first one's id.
        """
        answer = self.sqs.send_message(
            QueueUrl=self.url,
            MessageBody=letter.body,
            MessageGroupId=letter.group,
            MessageDeduplicationId=f"redrive-{letter.id}",
        )
        return answer["MessageId"]
