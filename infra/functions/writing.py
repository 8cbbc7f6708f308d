"""Writes recordings to their conversations: one list and one PATCH in Airtable for a whole batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from .carried import carried_by
from .conversations import Conversations
from .deadline import MayGoOn, out_of_time
from .errors import PermanentError, WaitError
from .links import Links
from .log import log
from .matching import Carried, Conversation, Decision, Rules, assign, listed
from .messages import Batch, Message
from .probes import fail_unless_over
from .recording import Recording
from .settings import DeliverSettings

_DAY = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A message about a recording, and the object version that holds it (None when it has no file)."""

    message: Message
    recording: Recording
    version: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """What writing takes in one invocation. `clock` in unix seconds."""

    conversations: Conversations
    links: Links = field(repr=False)
    settings: DeliverSettings
    may_go_on: MayGoOn
    clock: Callable[[], float]

    def write(self, batch: Batch, jobs: Mapping[str, Job]) -> int:
        """Decide where the jobs (by message id) of what is open belong, and write that; returns how many are there now.

        DeliveryError when Airtable refuses all of it.
        """
        todo = [jobs[message.id] for message in batch.open() if message.id in jobs]
        if not todo:
            return 0
        tellable = "status" in self.conversations.fields()
        for job in todo:
            if job.version is None and not tellable:
                batch.done(job.message)  # no link, and no field that could say why
        todo = [job for job in todo if job.version is not None or tellable]
        conversations = self._candidates(batch, todo)
        open_ids = {message.id for message in batch.open()}
        todo = [job for job in todo if job.message.id in open_ids]
        rules = Rules(
            window=timedelta(seconds=self.settings.match_window_seconds),
            settle=timedelta(seconds=self.settings.settle_seconds),
            now=self.clock(),
        )
        decisions = assign([(job.message.group, job.recording) for job in todo], conversations, rules)
        known = {conversation.record_id: conversation for conversation in conversations}
        return self._apply(batch, list(zip(todo, decisions, strict=True)), known)

    def _candidates(self, batch: Batch, todo: list[Job]) -> list[Conversation]:
        """One list for all; when Airtable rejects that, one for each, so that the one it rejects fails alone."""
        window = timedelta(seconds=self.settings.match_window_seconds)
        carried = partial(carried_by, self.links)
        try:
            return self.conversations.candidates([job.recording for job in todo], window, carried)
        except PermanentError as error:
            if len(todo) == 1:
                batch.fail(todo[0].message, error)
                return []
        found: dict[str, Conversation] = {}
        for job in todo:
            if not self.may_go_on():
                batch.fail(job.message, out_of_time())
                continue
            try:
                one = self.conversations.candidates([job.recording], window, carried)
            except PermanentError as error:
                batch.fail(job.message, error)
            else:
                found |= {conversation.record_id: conversation for conversation in one}
        return list(found.values())

    def _apply(
        self, batch: Batch, decided: list[tuple[Job, Decision | WaitError]], known: Mapping[str, Conversation]
    ) -> int:
        updates: dict[str, dict[str, object]] = {}
        added: dict[str, list[Carried]] = {}
        for job, decision in decided:
            if isinstance(decision, WaitError):
                fail_unless_over(batch, job.message, job.recording, decision, self.clock())
                continue
            url = self._url(job)
            if url is not None:
                added.setdefault(decision.record_id, []).append(Carried.of(job.recording, url))
            if decision.write:
                updates[decision.record_id] = self.conversations.values(job.recording, url)
        for record_id, recordings in added.items():
            together = listed(known[record_id], recordings)
            if len(together) > 1:
                cells = self.conversations.listing([item.url for item in together])
                updates.setdefault(record_id, {}).update(cells)
        updates = {record_id: cells for record_id, cells in updates.items() if cells}
        errors = self.conversations.update(updates, self.may_go_on) if updates else {}
        delivered = 0
        for job, decision in decided:
            if isinstance(decision, WaitError):
                continue
            # A recording that gave way to another of this batch shares its fate: that one may never be written.
            if error := errors.get(decision.record_id):
                batch.fail(job.message, error)
                continue
            log("info", "delivered", egress=job.recording.egress_id, written=decision.write)
            batch.done(job.message)
            delivered += 1
        return delivered

    def _url(self, job: Job) -> str | None:
        if job.version is None:
            return None
        token = self.links.issue(job.recording, job.version, lifetime_s=self.settings.link_days * _DAY)
        return f"{self.settings.play_url}/r/{token}"
