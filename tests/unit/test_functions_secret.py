"""The secret: what it must hold, and how long a copy of it may serve."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.functions.errors import SecretError
from infra.functions.secret import HARD_SECONDS, RETRY_SECONDS, SOFT_SECONDS, SecretCache, Secrets, Uploader, reader
from tests.unit.functions_support import KEY, LINK_KEY, SECRET, SECRET_JSON, Clock

GOOD = json.loads(SECRET_JSON)


def test_a_good_secret_is_read_and_never_shown() -> None:
    secrets = Secrets.from_json(SECRET_JSON)
    assert (secrets.livekit_keys, secrets.airtable_token, secrets.link_keys) == (
        {KEY: SECRET},
        "pat-token",
        (LINK_KEY,),
    )
    assert repr(secrets) == "Secrets()"


@pytest.mark.parametrize(
    "changes",
    [
        {"livekit_keys": {}},
        {"livekit_keys": []},
        {"livekit_keys": {KEY: ""}},
        {"livekit_keys": {KEY: "x" * 31}},
        {"livekit_keys": {KEY: SECRET, "other": "short"}},
        {"livekit_keys": {KEY: 5}},
        {"livekit_keys": {"": SECRET}},
        {"airtable_token": None},
        {"link_keys": []},
        {"link_keys": "x" * 40},
        {"link_keys": ["x" * 31]},
        {"link_keys": [LINK_KEY, 5]},
    ],
    ids=str,
)
def test_an_unusable_secret_is_refused_without_quoting_it(changes: dict[str, Any]) -> None:
    with pytest.raises(SecretError) as error:
        Secrets.from_json(json.dumps(GOOD | changes))
    assert SECRET not in str(error.value)
    assert "short" not in str(error.value)


def test_the_upload_key_is_read_where_there_is_one_and_never_shown() -> None:
    key = {"access_key_id": "AKIAEXAMPLE", "secret_access_key": "upload-secret"}
    secrets = Secrets.from_json(json.dumps(GOOD | {"uploader": key}))
    assert secrets.uploader == Uploader(access_key_id="AKIAEXAMPLE", secret_access_key="upload-secret")
    assert "upload-secret" not in f"{secrets!r} {secrets.uploader!r}"


def test_a_role_stands_in_place_of_the_key_and_its_external_id_is_never_shown() -> None:
    role = {"role_arn": "arn:aws:iam::1:role/r", "external_id": "the-external-id"}
    secrets = Secrets.from_json(json.dumps(GOOD | {"uploader": role}))
    assert secrets.uploader == Uploader(role_arn="arn:aws:iam::1:role/r", external_id="the-external-id")
    assert "the-external-id" not in f"{secrets!r} {secrets.uploader!r}"


@pytest.mark.parametrize(
    "uploader",
    [
        None,
        {},
        "AKIA",
        {"access_key_id": "AKIAEXAMPLE"},
        {"access_key_id": 5, "secret_access_key": "x"},
        {"role_arn": "arn:aws:iam::1:role/r"},
    ],
)
def test_an_unusable_upload_key_keeps_nobody_else_from_working(uploader: object) -> None:
    assert Secrets.from_json(json.dumps(GOOD | {"uploader": uploader})).uploader is None


@pytest.mark.parametrize(
    ("given", "until"),
    [(None, None), (1_800_000_000, 1_800_000_000), ("1800000000", 1_800_000_000), ("soon", 0), (-1, 0)],
)
def test_the_end_of_old_link_keys_is_soon_when_it_cannot_be_read(given: object, until: float | None) -> None:
    assert Secrets.from_json(json.dumps(GOOD | {"link_keys_until": given})).link_keys_until == until


def test_a_stack_without_an_audit_key_has_one_of_its_newest_link_key() -> None:
    made = Secrets.from_json(SECRET_JSON).audit_key
    assert len(made) == 64
    assert made != LINK_KEY
    assert Secrets.from_json(json.dumps(GOOD | {"link_keys": ["o" * 40, LINK_KEY]})).audit_key == made
    assert Secrets.from_json(json.dumps(GOOD | {"link_keys": [LINK_KEY, "n" * 40]})).audit_key != made
    assert Secrets.from_json(json.dumps(GOOD | {"audit_key": "a" * 40})).audit_key == "a" * 40


@pytest.mark.parametrize("text", ["", "null", "[]", SECRET_JSON[:-1]])
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(SecretError):
        Secrets.from_json(text)


class Source:
    """A secret that can be changed and broken; counts its reads."""

    def __init__(self) -> None:
        self.reads = 0
        self.error: Exception | None = None
        self.token = "first"

    def __call__(self) -> str:
        self.reads += 1
        if self.error:
            raise self.error
        return json.dumps(GOOD | {"airtable_token": self.token})


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cache(source: Source, clock: Clock) -> SecretCache:
    return SecretCache(source, clock)


def test_it_is_read_once_and_again_when_older_than_two_minutes(
    cache: SecretCache, source: Source, clock: Clock
) -> None:
    cache.warm()
    assert cache.get().airtable_token == "first"
    clock.now += SOFT_SECONDS - 1
    source.token = "second"
    assert cache.get().airtable_token == "first"
    assert source.reads == 1
    clock.now += 1
    assert cache.get().airtable_token == "second"
    assert source.reads == 2


def test_a_failing_renewal_is_borne_for_five_minutes_and_not_tried_at_each_request(
    cache: SecretCache, source: Source, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    cache.get()
    source.error = RuntimeError(SECRET)
    clock.now += SOFT_SECONDS
    assert cache.get().airtable_token == "first"
    assert cache.get().airtable_token == "first"
    assert source.reads == 2
    clock.now += RETRY_SECONDS
    assert cache.get().airtable_token == "first"
    assert source.reads == 3
    clock.now += HARD_SECONDS - SOFT_SECONDS - RETRY_SECONDS
    with pytest.raises(SecretError):
        cache.get()
    logged = capsys.readouterr().out
    assert '"secret_unreadable"' in logged
    assert '"RuntimeError"' in logged
    assert SECRET not in logged


def test_a_bad_new_value_is_borne_like_a_failing_read(cache: SecretCache, source: Source, clock: Clock) -> None:
    cache.get()
    source.error = SecretError("bad")
    clock.now += SOFT_SECONDS
    assert cache.get().airtable_token == "first"
    clock.now += HARD_SECONDS
    with pytest.raises(SecretError, match="bad"):
        cache.get()


def test_a_clock_set_back_makes_the_copy_old(cache: SecretCache, source: Source, clock: Clock) -> None:
    cache.get()
    clock.now -= 1
    source.error = RuntimeError()
    with pytest.raises(SecretError):
        cache.get()


def test_a_cold_start_without_the_secret_is_mended_by_the_first_request(cache: SecretCache, source: Source) -> None:
    source.error = RuntimeError()
    cache.warm()
    source.error = None
    assert cache.refresh_if_older_than(10).airtable_token == "first"


def test_it_is_read_afresh_for_a_rotated_key_but_not_for_every_forged_one(
    cache: SecretCache, source: Source, clock: Clock
) -> None:
    first = cache.get()
    clock.now += 9
    assert cache.refresh_if_older_than(10) is first
    clock.now += 1
    source.token = "second"
    assert cache.refresh_if_older_than(10).airtable_token == "second"
    assert cache.refresh_if_older_than(10).airtable_token == "second"
    assert source.reads == 2


def test_a_failing_fresh_read_raises_and_is_not_repeated_at_once(
    cache: SecretCache, source: Source, clock: Clock
) -> None:
    cache.get()
    clock.now += 20
    source.error = RuntimeError()
    for _ in range(3):
        with pytest.raises(SecretError):
            cache.refresh_if_older_than(10)
    assert source.reads == 2
    clock.now += RETRY_SECONDS
    source.error = None
    assert cache.refresh_if_older_than(10).airtable_token == "first"


def test_the_reader_asks_for_the_one_secret() -> None:
    class Client:
        asked: dict[str, Any]

        def get_secret_value(self, **request: Any) -> dict[str, Any]:
            self.asked = request
            return {"SecretString": "text"}

    client: Any = Client()
    assert reader(client, "arn:x")() == "text"
    assert client.asked == {"SecretId": "arn:x"}
