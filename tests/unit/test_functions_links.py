"""Play links: only ours open, only until they expire, and every byte of them counts."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from itsdangerous import TimestampSigner, URLSafeTimedSerializer

from infra.functions.errors import BadLinkError, ExpiredLinkError, RevokedLinkError
from infra.functions.links import MAX_TOKEN_CHARS, Links, file_name
from infra.functions.recording import Recording
from tests.unit.functions_support import END, LINK_KEY, NOW, START, Clock, recording

DAY = 86_400


def links(*keys: str, now: float = NOW) -> Links:
    return Links(keys or (LINK_KEY,), Clock(now))


TOKEN = links().issue(recording(), "v1", lifetime_s=DAY)


def test_a_link_says_what_it_plays() -> None:
    link = links().open(TOKEN, NOW)
    assert (link.key, link.version, link.egress_id) == ("calls/camille/1.mp4", "v1", "EG_1")
    assert (link.room_id, link.duration_s, link.ended_at) == ("RM_1", 12.0, END.timestamp())
    assert (link.issued_at, link.expires_at) == (int(NOW), int(NOW) + DAY)
    assert link.file_name == "call-camille-2026-11-24-0000UTC.mp4"
    assert "camille" not in repr(link)


def test_a_link_lives_as_long_as_it_says_and_not_longer() -> None:
    assert links().open(TOKEN, int(NOW) + DAY - 1).version == "v1"
    for now in (int(NOW) + DAY, NOW + 100 * DAY):
        with pytest.raises(ExpiredLinkError):
            links().open(TOKEN, now)
    assert links().read(TOKEN).version == "v1"


def test_a_time_that_no_calendar_holds() -> None:
    """Signed by us all the same: itsdangerous then raises what is not its own."""
    for clock in (2**47, 2**63):
        with pytest.raises(BadLinkError):
            links().read(links(now=clock).issue(recording(), "v1", lifetime_s=DAY))


def test_keys_rotate() -> None:
    old, new = "o" * 40, "n" * 40
    by_old = links(old).issue(recording(), "v1", lifetime_s=DAY)
    by_new = links(old, new).issue(recording(), "v1", lifetime_s=DAY)
    assert links(old, new).open(by_old, NOW).version == "v1"
    assert links(new).open(by_new, NOW).version == "v1"
    for token, keys in ((by_old, (new,)), (by_new, (old,))):
        with pytest.raises(BadLinkError):
            links(*keys).open(token, NOW)


def test_an_old_key_opens_until_its_end_and_reads_ever_after() -> None:
    old, new = "o" * 40, "n" * 40
    by_old, by_new = (links(*keys).issue(recording(), "v1", lifetime_s=DAY) for keys in ((old,), (old, new)))
    ended = Links((old, new), Clock(), until=NOW)
    assert ended.open(by_old, NOW - 1).version == "v1"
    with pytest.raises(RevokedLinkError):
        ended.open(by_old, NOW)
    with pytest.raises(ExpiredLinkError):  # what is over anyway is told as such
        ended.open(by_old, NOW + DAY)
    assert ended.read(by_old).egress_id == "EG_1"
    assert ended.open(by_new, NOW).version == "v1"
    assert [ended.by_newest(token) for token in (by_old, by_new, "x")] == [False, True, False]


def test_a_renewed_link_plays_the_same_for_another_while() -> None:
    link = links().read(TOKEN)
    later = links("o" * 40, LINK_KEY, now=NOW + DAY)
    renewed = later.read(later.renew(link, lifetime_s=2 * DAY))
    assert renewed == replace(link, issued_at=int(NOW) + DAY, expires_at=int(NOW) + 3 * DAY)
    assert links("o" * 40, LINK_KEY).by_newest(later.renew(link, lifetime_s=DAY))


def sign(payload: Any, salt: str = "callrec.play.v1", key: str = LINK_KEY, **kwargs: Any) -> str:
    kwargs = {"key_derivation": "hmac", "digest_method": hashlib.sha256} | kwargs
    return str(URLSafeTimedSerializer(key, salt=salt, signer_kwargs=kwargs).dumps(payload))


def json_signed(payload: Any) -> str:
    """As sign(), with half characters escaped as JSON can."""
    kwargs: dict[str, Any] = {"key_derivation": "hmac", "digest_method": hashlib.sha256}
    return (
        TimestampSigner(LINK_KEY, salt="callrec.play.v1", **kwargs)
        .sign(base64.urlsafe_b64encode(json.dumps(payload).encode()).rstrip(b"="))
        .decode()
    )


GOOD = {"k": "calls/a", "v": "v1", "e": "EG_1", "n": "a.mp4", "x": 9_999_999_999}


def test_a_token_of_the_least_content_opens() -> None:
    for strange in ({"d": "long", "t": True, "r": 5}, {"d": 10**400, "t": 10**400}):
        link = links().open(sign(GOOD | strange), NOW)
        assert (link.room_id, link.duration_s, link.ended_at) == (None, None, None)


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "x" * 100,
        "é",
        "\ud800",
        TOKEN + "A",
        TOKEN[:-1],
        TOKEN[1:],
        TOKEN.replace(".", "", 1),
        TOKEN + "." + "A" * MAX_TOKEN_CHARS,
        sign(GOOD, salt="other"),
        sign(GOOD, key="x" * 40),
        sign(GOOD, key_derivation="django-concat"),
        sign(GOOD, digest_method=hashlib.sha1),
        sign([]),
        sign("text"),
        sign({}),
        sign(GOOD | {"k": 5}),
        sign(GOOD | {"v": ""}),
        sign(GOOD | {"x": "soon"}),
        sign(GOOD | {"x": None}),
        json_signed(GOOD | {"k": "calls/\ud800"}),
        json_signed(GOOD | {"n": "\ud800"}),
    ],
    ids=range(24),
)
def test_every_other_token_is_bad(token: str) -> None:
    for use in (links().read, lambda text: links().open(text, NOW)):
        with pytest.raises(BadLinkError):
            use(token)


@settings(max_examples=400)
@given(st.integers(0, len(TOKEN) - 1), st.sampled_from("ABCXYZabcxyz0189-_.=% "), st.booleans())
def test_a_changed_token_is_bad_or_says_the_same(index: int, character: str, insert: bool) -> None:  # noqa: FBT001
    """The last character of the signature has bits that mean nothing: then the link is the same one."""
    changed = TOKEN[:index] + character + TOKEN[index + (not insert) :]
    try:
        link = links().open(changed, NOW)
    except BadLinkError:
        return
    assert link == links().open(TOKEN, NOW)


@settings(max_examples=300)
@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda data: data.decode("latin-1")))
def test_no_text_does_more_than_be_bad(token: str) -> None:
    with pytest.raises(BadLinkError):
        links().open(token, NOW)


@settings(max_examples=200)
@given(
    st.text(min_size=1, max_size=300),
    st.text("abcXYZ019._-", min_size=1),
    st.floats(0.1, 1e5),
    st.integers(1, 3650 * DAY),
    st.text(max_size=80),
)
def test_what_goes_in_comes_out(key: str, version: str, duration: float, lifetime: int, room: str) -> None:
    made = recording(key=key, duration_s=duration, room_name=room)
    if any("\ud800" <= character <= "\udfff" for character in key):
        return  # check_place refuses such keys
    token = links().issue(made, version, lifetime_s=lifetime)
    assert token.isascii()
    assert "/" not in token
    link = links().open(token, NOW)
    assert (link.key, link.version, link.duration_s, link.expires_at) == (key, version, duration, int(NOW) + lifetime)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({}, "call-camille-2026-11-24-0000UTC.mp4"),
        ({"room_name": "Hélène Müller"}, "call-Helene-Muller-2026-11-24-0000UTC.mp4"),
        ({"room_name": '../"x"\r\n;a=b'}, "call-x-a-b-2026-11-24-0000UTC.mp4"),
        ({"room_name": "日本"}, "call-2026-11-24-0000UTC.mp4"),
        ({"room_name": None}, "call-2026-11-24-0000UTC.mp4"),
        ({"room_name": "x" * 500}, f"call-{'x' * 60}-2026-11-24-0000UTC.mp4"),
        ({"key": "calls/a.ogg"}, "call-camille-2026-11-24-0000UTC.ogg"),
        ({"key": "calls/a"}, "call-camille-2026-11-24-0000UTC"),
        ({"key": 'calls/a.m"4'}, "call-camille-2026-11-24-0000UTC"),
        ({"key": None}, "call-camille-2026-11-24-0000UTC"),
        ({"started_at": None}, "call-camille-2026-11-24-0000UTC.mp4"),
        ({"started_at": None, "ended_at": None}, "call-camille-1970-01-01-0000UTC.mp4"),
        ({"started_at": datetime(2026, 1, 2, 13, 4, 59, tzinfo=UTC)}, "call-camille-2026-01-02-1304UTC.mp4"),
    ],
)
def test_a_file_name_a_person_understands(changes: dict[str, Any], name: str) -> None:
    assert file_name(recording(**changes)) == name


@given(st.text(), st.text())
def test_a_file_name_breaks_no_header(room: str, key: str) -> None:
    made: Recording = recording(room_name=room, key=key, started_at=START)
    name = file_name(made)
    assert json.dumps(name) == f'"{name}"'
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
    assert len(name) < 100
