"""The journey and the link's rows, with a pipeline of one process behind real HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from infra.functions.recording import Recording
from infra.functions.settings import DEFAULT_FIELDS
from scripts.local.airtable_server import AirtableServer
from scripts.outputs import AirtableOutputs
from scripts.verify import function_log, journey, playback
from scripts.verify.airtable import Conversations
from scripts.verify.hop import Outcome, Result, attempt
from scripts.verify.journey import Journey
from scripts.verify.playback import Playback
from scripts.verify.probe import Probe
from tests.unit.test_verify_webhook import receive
from tests.unit.verify_support import (
    API_KEY,
    API_SECRET,
    PREFIX,
    Answer,
    FakeAws,
    FakeClient,
    Request,
    assert_failed,
    by_id,
    deployment,
    refusal,
    web,
)

TOKEN = "dG9rZW4tdG9rZW4tdG9rZW4.c2lnbmF0dXJl"


@dataclass(kw_only=True)
class World:
    """receive, deliver, play and S3 behind one address; the knobs plant faults."""

    airtable: AirtableServer
    url: str = ""
    objects: dict[str, bytes] = field(default_factory=dict)
    deliver: Callable[[World, Recording], None] | None = None
    webhook: Callable[[Request], Answer] = receive
    play_status: int = 302
    location: bool = True
    s3_status: int = 200
    ranges: bool = True
    checks: bool = True
    expires: str = "300"
    live_seconds: int = 1
    accepts_any_token: int = 403
    reads: int = 0

    def respond(self, request: Request) -> Answer:
        if request.path.startswith("/webhook"):
            answer = self.webhook(request)
            recording = Recording.from_payload(json.loads(request.body)) if answer[0] == 200 else None
            if recording is not None and self.deliver is not None:
                self.deliver(self, recording)
            return answer
        if request.path.startswith("/play/r/"):
            if not request.path.endswith(f"/r/{TOKEN}"):
                return self.accepts_any_token, {}, b""
            key = next(iter(self.objects))
            signed = f"{self.url}/s3/{key}?X-Amz-Expires={self.expires}"
            return self.play_status, {"Location": signed} if self.location else {}, b""
        return self.s3(request)

    def s3(self, request: Request) -> Answer:
        parts = urlsplit(request.path)
        stated = parse_qs(parts.query).get("X-Amz-Expires", [""])[0]
        if stated == "1":
            self.reads += 1
            return 403 if self.reads > self.live_seconds else 200, {}, b""
        if stated not in (self.expires, "60") and self.checks:
            return 403, {}, b""
        content = self.objects[parts.path.removeprefix("/s3/")]
        if "range" in request.headers and self.ranges:
            first, last = request.headers["range"].removeprefix("bytes=").split("-")
            return 206, {}, content[int(first) : int(last) + 1]
        return self.s3_status, {}, content


def link(world: World, recording: Recording) -> None:
    """What deliver does when all is well."""
    [record] = world.airtable.base.tables[0].records
    table = Conversations.api(world_table(world)).table(world.airtable.base_id, world.airtable.table)
    table.update(record, {"audio_recording_url": f"{world.url}/play/r/{TOKEN}"})
    assert recording.key in world.objects


def world_table(world: World) -> Conversations:
    return Conversations.of(world_deployment(world))


def world_deployment(world: World, **more: FakeClient) -> Any:
    server = world.airtable
    secret = json.dumps({"airtable_token": server.token, "livekit_keys": {API_KEY: API_SECRET}})

    def store(**call: Any) -> Any:
        world.objects[call["Key"]] = call["Body"]
        return {}

    def presign(method: str, **call: Any) -> str:
        assert method == "get_object"
        return f"{world.url}/s3/{call['Params']['Key']}?X-Amz-Expires={call['ExpiresIn']}"

    operator = FakeClient()
    operator.generate_presigned_url = presign  # type: ignore[attr-defined]
    clients = {"secretsmanager": FakeClient(get_secret_value={"SecretString": secret}), "s3": operator} | more
    place = AirtableOutputs(url=server.url, base=server.base_id, table=server.table, fields=DEFAULT_FIELDS)
    return deployment(
        FakeAws(clients=clients, uploader=FakeClient(put_object=store)),
        webhook_url=f"{world.url}/webhook",
        play_url=f"{world.url}/play",
        airtable=place,
    )


@pytest.fixture
def world() -> Iterator[World]:
    with AirtableServer() as server:
        made = World(airtable=server, deliver=link)
        with web(made.respond) as url:
            made.url = url
            yield made


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds


def travel(world: World, *names: str, **more: FakeClient) -> tuple[Journey, list[Result]]:
    """Try these hops of the journey and the playback, in their order; the clock moves by waiting alone."""
    stack, clock = world_deployment(world, **more), Clock()
    table = Conversations.of(stack)
    table.exists()
    trip = Journey.of(stack, Probe.new(PREFIX), table)
    trip.clock, trip.wait = clock, clock.wait
    hops = [*trip.hops(), *playback.hops(stack, trip)]
    player: Playback = by_id(hops, "playback.plays").probe.__self__  # type: ignore[attr-defined]
    player.clock, player.wait = clock, clock.wait
    return trip, [attempt(by_id(hops, name)) for name in names]


STEPS = ("journey.conversation", "journey.recording", "journey.announced", "journey.delivered")


def played(world: World, *names: str) -> Result:
    """The last of these hops, after the journey and the first playing."""
    _, results = travel(world, *STEPS, "playback.plays", *names)
    assert all(result.outcome is Outcome.OK for result in results[: len(STEPS)]), results
    return results[-1]


def test_a_whole_journey_holds(world: World) -> None:
    trip, results = travel(
        world,
        *STEPS,
        *(f"playback.{name}" for name in ("plays", "range", "short", "altered", "expired", "tampered")),
    )
    assert [result.outcome for result in results] == [Outcome.OK] * 10, results
    assert not any(TOKEN in str(result) for result in results)
    assert TOKEN not in repr(trip)


def test_a_link_that_never_comes_ends_with_what_the_queue_says(world: World) -> None:
    world.deliver = None
    sqs = FakeClient(get_queue_attributes={"Attributes": {"ApproximateNumberOfMessages": "1"}})
    _, results = travel(world, *STEPS, sqs=sqs, logs=FakeClient(filter_log_events={}))
    assert_failed(results[-1], "no link after 60 s; 1 waiting, 1 given up; logged: nothing")
    assert "does not run" in results[-1].cause


def test_a_link_that_never_comes_ends_with_what_deliver_logged(world: World) -> None:
    world.deliver = None
    sqs = FakeClient(get_queue_attributes={"Attributes": {}})
    lines = [
        {"timestamp": 3, "message": "END RequestId"},
        {"timestamp": 2, "message": json.dumps({"level": "info", "waiting": 1, "reason": "no_conversation"})},
        {"timestamp": 1, "message": json.dumps({"reason": "older"})},
    ]
    _, results = travel(world, *STEPS, sqs=sqs, logs=FakeClient(filter_log_events={"events": lines}))
    assert_failed(results[-1], "logged: no_conversation")
    assert results[-1].cause.endswith("no_conversation")


def test_a_link_that_never_comes_without_a_trace(world: World) -> None:
    world.deliver = None
    sqs = FakeClient(get_queue_attributes={"Attributes": {}})
    _, results = travel(world, *STEPS, sqs=sqs, logs=FakeClient(filter_log_events=refusal("ResourceNotFoundException")))
    assert "never reached the queue" in results[-1].cause


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("START RequestId", None),
        ("[]", None),
        ('{"level": "info"}', None),
        ('{"level": "error", "error": "ClientError:AccessDenied"}', "ClientError:AccessDenied"),
        ("Traceback (most recent call last):", "the function ended with an error"),
        ('2026 {"errorMessage": "secret"', "the function ended with an error"),
    ],
)
def test_just_codes_are_taken_from_log_lines(message: str, reason: str | None) -> None:
    logs: Any = FakeClient(filter_log_events={"events": [{"timestamp": 1, "message": message}]})
    assert function_log.last_reason(logs, "group") == reason


def test_a_link_to_elsewhere_is_found(world: World) -> None:
    def elsewhere(world: World, _: Recording) -> None:
        [record] = world.airtable.base.tables[0].records
        api = world_table(world).api()
        api.table(world.airtable.base_id, world.airtable.table).update(
            record, {"audio_recording_url": "https://elsewhere.example/r/x"}
        )

    world.deliver = elsewhere
    _, results = travel(world, *STEPS)
    assert_failed(results[-1], "does not lead to the play function")
    assert "elsewhere" not in results[-1].seen


def test_an_announcement_that_is_refused_is_found(world: World) -> None:
    world.webhook = lambda _: (503, {}, b"")
    _, results = travel(world, *STEPS[:3])
    assert_failed(results[-1], "503")


def test_a_recording_that_cannot_be_put_is_found(world: World) -> None:
    stack = world_deployment(world)
    stack.aws.uploader.answers["put_object"] = refusal("AccessDenied")
    trip = Journey.of(stack, Probe.new(PREFIX), Conversations.of(stack))
    assert_failed(attempt(by_id(trip.hops(), "journey.recording")), "PutObject: AccessDenied")


def test_nothing_is_announced_while_deliver_is_stopped(world: World) -> None:
    trip, _ = travel(world)
    needs = by_id(trip.hops(), journey.ANNOUNCED).needs
    assert {"functions.deliver", "functions.mapping", "webhook.signed", "journey.conversation"} <= set(needs)


@pytest.mark.parametrize(("status", "words"), [(403, "link-signing key"), (410, "link-signing key"), (500, "fails")])
def test_a_play_function_that_does_not_play_is_found(world: World, status: int, words: str) -> None:
    world.play_status = status
    result = played(world)
    assert_failed(result, f"{status} instead of 302")
    assert words in result.cause


def test_a_redirect_to_nowhere_is_found(world: World) -> None:
    world.location = False
    assert_failed(played(world), "302 instead of 302")


def test_a_role_that_may_not_read_is_found(world: World) -> None:
    world.s3_status = 403
    assert_failed(played(world), "S3 answered 403")


def test_other_bytes_are_found(world: World) -> None:
    def swapped(world: World, recording: Recording) -> None:
        link(world, recording)
        world.objects = dict.fromkeys(world.objects, b"another call")

    world.deliver = swapped
    assert_failed(played(world), "12 other bytes")


def test_a_player_that_cannot_jump_is_found(world: World) -> None:
    world.ranges = False
    assert_failed(played(world, "playback.range"), "200")


@pytest.mark.parametrize("expires", ["361", "86400", "none"])
def test_a_link_that_lives_too_long_is_found(world: World, expires: str) -> None:
    world.expires = expires
    assert_failed(played(world, "playback.short"), f"lifetime: {expires}")


def test_a_link_that_can_be_lengthened_is_found(world: World) -> None:
    world.checks = False
    assert_failed(played(world, "playback.altered"), "200 instead of 403")


def test_links_that_do_not_expire_are_found(world: World) -> None:
    world.live_seconds = 1000
    assert_failed(played(world, "playback.expired"), "still plays")


def test_expiry_is_not_shown_by_links_that_never_worked(world: World) -> None:
    world.s3_status = 403
    result = played(world, "playback.expired")
    assert_failed(result, "403 instead of 200")


@pytest.mark.parametrize("status", [302, 500])
def test_a_tampered_link_that_is_not_refused_is_found(world: World, status: int) -> None:
    world.accepts_any_token = status
    assert_failed(played(world, "playback.tampered"), f"{status} instead of 403")


def test_tampering_changes_one_letter_of_the_token() -> None:
    for token in (TOKEN, "A" * 30):
        changed = playback.tampered_with(f"https://play/r/{token}")
        assert changed.startswith("https://play/r/")
        assert sum(a != b for a, b in zip(changed, f"https://play/r/{token}", strict=True)) == 1


def test_lengthening_changes_the_lifetime_alone() -> None:
    link = "https://s3/recordings/x?X-Amz-Expires=300&X-Amz-Signature=ab%2Fc"
    assert playback.lengthened(link) == link.replace("300", "3900")
