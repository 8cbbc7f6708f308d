"""verify(): every captured request, and every way a token or body can be wrong."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from infra.functions.errors import BadEventError, NotLiveKitError
from infra.functions.livekit_webhook import MAX_TOKEN_CHARS, parse_event, verify
from tests.unit.functions_support import KEY, NOW, SECRET, captured, captured_names, claims, sign

KEYS = {KEY: SECRET}
BODY = b'{"event":"room_started","id":"EV_1","room":{"sid":"RM_1"}}'


@pytest.mark.parametrize("name", captured_names())
def test_every_captured_request_is_livekits(name: str) -> None:
    body, authorization, received_at = captured(name)
    event = verify(body, authorization, KEYS, received_at)
    payload = json.loads(body)
    assert (event.event, event.id, event.room_id) == (payload["event"], payload["id"], payload["room"]["sid"])
    assert event.created_at == int(payload["createdAt"])
    assert event.egress_id == payload.get("egressInfo", {}).get("egressId")
    assert name.startswith(event.event)


@pytest.mark.parametrize("name", captured_names())
def test_a_captured_request_is_refused_with_one_bit_changed_or_too_late(name: str) -> None:
    body, authorization, received_at = captured(name)
    flipped = body[:-1] + bytes([body[-1] ^ 1])
    for request in (
        (flipped, authorization, KEYS, received_at),
        (body + b" ", authorization, KEYS, received_at),
        (body, authorization, {KEY: SECRET + "x"}, received_at),
        (body, authorization, {"other": SECRET}, received_at),
        (body, authorization, KEYS, received_at + 361),
        (body, authorization, KEYS, received_at - 62),
    ):
        with pytest.raises(NotLiveKitError):
            verify(*request)


def test_events_show_no_payload() -> None:
    assert "turnPassword" not in repr(parse_event(captured("participant_joined")[0]))


@pytest.mark.parametrize("authorization", [None, "", " ", "Bearer ", "bearer", "a.b.c", "...", ".", "é.é.é", "\ud800"])
def test_what_is_no_token_is_refused(authorization: str | None) -> None:
    with pytest.raises(NotLiveKitError):
        verify(BODY, authorization, KEYS, NOW)


@pytest.mark.parametrize("form", ["{}", "Bearer {}", "bearer {}", "BEARER  {}", " {} ", "\tBearer {}\t"])
def test_a_bare_token_and_a_bearer_in_any_case_are_taken(form: str) -> None:
    assert verify(BODY, form.format(sign(BODY)), KEYS, NOW).id == "EV_1"


@pytest.mark.parametrize("form", ["Basic {}", "Bearer{}", "Bearer Bearer {}", "{},{}", "{}\n", "Bearer\t{}"])
def test_other_forms_are_refused(form: str) -> None:
    with pytest.raises(NotLiveKitError):
        verify(BODY, form.format(sign(BODY), sign(BODY)), KEYS, NOW)


def raw_token(header: Any, payload: Any, secret: str = SECRET) -> str:
    """A token with any header and payload, signed with HMAC-SHA256 all the same."""

    def segment(value: Any) -> str:
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    text = f"{segment(header)}.{segment(payload)}"
    return f"{text}.{segment(hmac.digest(secret.encode(), text.encode(), 'sha256'))}"


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "None"},
        {"alg": "HS384"},
        {"alg": "HS512"},
        {"alg": "RS256"},
        {"alg": "hs256"},
        {"alg": ["HS256"]},
        {"alg": {"HS256": 1}},
        {"alg": None},
        {"alg": ""},
        {},
        [],
        "HS256",
        {"alg": "HS256", "crit": ["exp"]},
        {"alg": "HS256", "crit": []},
        {"alg": "HS256", "crit": "b64"},
        {"alg": "HS256", "b64": False},
        {"alg": "HS256", "b64": False, "crit": ["b64"]},
        {"alg": "HS256", "kid": 5},
        b"\xff",
        b"[" * 5000,
    ],
)
def test_every_other_header_is_refused(header: Any) -> None:
    with pytest.raises(NotLiveKitError):
        verify(BODY, raw_token(header, claims(BODY)), KEYS, NOW)


def test_the_forged_token_is_made_as_livekits_is() -> None:
    assert verify(BODY, raw_token({"alg": "HS256", "typ": "JWT"}, claims(BODY)), KEYS, NOW).id == "EV_1"


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_a_token_truly_signed_with_another_algorithm_is_refused(algorithm: str) -> None:
    secret = SECRET * 2  # long enough for all of them
    token = jwt.encode(claims(BODY), secret, algorithm)
    with pytest.raises(NotLiveKitError):
        verify(BODY, token, {KEY: secret}, NOW)


def test_an_unsigned_token_is_refused() -> None:
    unsigned = jwt.encode(claims(BODY), "", "none")
    for token in (unsigned, unsigned + "AAAA", sign(BODY).rpartition(".")[0] + "."):
        with pytest.raises(NotLiveKitError):
            verify(BODY, token, KEYS, NOW)


def test_an_rsa_token_is_refused_even_when_the_secret_is_its_public_key() -> None:
    private = rsa.generate_private_key(65537, 2048)
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    keys = {KEY: public.decode()}
    for token in (
        jwt.encode(claims(BODY), private, "RS256"),
        raw_token({"alg": "HS256"}, claims(BODY), public.decode()),
    ):
        with pytest.raises(NotLiveKitError):
            verify(BODY, token, keys, NOW)


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": None},
        {"exp": int(NOW) - 61},
        {"exp": 0},
        {"exp": -(10**400)},
        {"exp": True},
        {"exp": "9999999999"},
        {"exp": []},
        {"exp": float("nan")},
        {"exp": float("inf")},
        {"nbf": int(NOW) + 62},
        {"nbf": "soon"},
        {"nbf": float("nan")},
        {"nbf": False},
        {"iat": int(NOW) + 62},
        {"iat": 10**400},
        {"iat": {}},
        {"iss": None},
        {"iss": "other"},
        {"iss": 5},
        {"iss": [KEY]},
        {"iss": ""},
        {"aud": "x"},
        {"sub": 5},
        {"jti": 5},
        {"sha256": None},
        {"sha256": ""},
        {"sha256": 5},
        {"sha256": [1]},
        {"sha256": True},
        {"sha256": "é"},
        {"sha256": "\ud800"},
        {"sha256": hashlib.sha256(BODY).hexdigest()},
        {"sha256": base64.b64encode(hashlib.sha256(BODY).digest()).decode().rstrip("=")},
        {"sha256": base64.b64encode(hashlib.sha256(BODY).digest()).decode() + "\n"},
        {"sha256": base64.b64encode(hashlib.sha256(b"").digest()).decode()},
        {"sha256": base64.b64encode(hashlib.sha256(BODY).hexdigest().encode()).decode()},
    ],
    ids=str,
)
def test_every_wrong_claim_is_refused(changes: dict[str, Any]) -> None:
    made = claims(BODY) | changes
    payload = {name: value for name, value in made.items() if value is not None}
    with pytest.raises(NotLiveKitError):
        verify(BODY, raw_token({"alg": "HS256"}, payload), KEYS, NOW)


def test_the_order_of_base64_alphabets_matters() -> None:
    """The claim is in the standard alphabet: find a body whose hash tells the two apart."""
    body = next(
        body
        for body in (b'{"event":"x%d"}' % number for number in range(1000))
        if b"/" in base64.b64encode(hashlib.sha256(body).digest())
    )
    assert verify(body, sign(body), KEYS, NOW).event.startswith("x")
    urlsafe = base64.urlsafe_b64encode(hashlib.sha256(body).digest()).decode()
    with pytest.raises(NotLiveKitError):
        verify(body, sign(body, sha256=urlsafe), KEYS, NOW)


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": int(NOW) - 59},
        {"exp": NOW + 0.5},
        {"exp": 10**400},
        {"nbf": None, "iat": None},
        {"nbf": int(NOW) + 60},
        {"iat": int(NOW) + 60},
        {"extra": {"deep": [1]}},
        {"video": "not a grant"},
    ],
    ids=str,
)
def test_what_the_leeway_and_the_rules_allow_is_taken(changes: dict[str, Any]) -> None:
    assert verify(BODY, sign(BODY, **changes), KEYS, NOW).id == "EV_1"


def test_the_leeway_is_a_minute_to_the_second() -> None:
    now = int(NOW)
    within: list[dict[str, Any]] = [{"exp": now - 59}, {"nbf": now + 60}, {"iat": now + 60}]
    beyond: list[dict[str, Any]] = [{"exp": now - 60}, {"nbf": now + 61}, {"iat": now + 61}]
    for changes in within:
        assert verify(BODY, sign(BODY, **changes), KEYS, now).id == "EV_1"
    for changes in beyond:
        with pytest.raises(NotLiveKitError):
            verify(BODY, sign(BODY, **changes), KEYS, now)


@pytest.mark.parametrize("payload", [b"", b"\xff", b"[]", b'"x"', b"[" * 2000, b"1" * 5000])
def test_a_payload_that_is_no_object_is_refused(payload: bytes) -> None:
    with pytest.raises(NotLiveKitError):
        verify(BODY, raw_token({"alg": "HS256"}, payload), KEYS, NOW)


def test_a_deep_payload_is_refused() -> None:
    """Within the bound on tokens, and deeper than a JSON parser goes."""
    deep = b'{"iss":' + b"[" * 5900
    with pytest.raises(NotLiveKitError):
        verify(BODY, raw_token({"alg": "HS256"}, deep), KEYS, NOW)


@pytest.mark.parametrize("secret", ["", "x", "secret", "x" * 31, "ü" * 15])
def test_a_weak_secret_never_verifies(secret: str) -> None:
    token = raw_token({"alg": "HS256"}, claims(BODY), secret)
    with pytest.raises(NotLiveKitError) as refused:
        verify(BODY, token, {KEY: secret}, NOW)
    assert refused.value.reason == "weak_secret"


def test_a_secret_that_is_no_text_never_verifies() -> None:
    with pytest.raises(NotLiveKitError):
        verify(BODY, sign(BODY), {KEY: "\ud800" * 20}, NOW)


def test_any_of_the_keys_serves_and_each_with_its_own_secret() -> None:
    keys = {"old": "o" * 40, KEY: SECRET}
    assert verify(BODY, sign(BODY), keys, NOW).id == "EV_1"
    assert verify(BODY, sign(BODY, iss="old", secret="o" * 40), keys, NOW).id == "EV_1"
    with pytest.raises(NotLiveKitError):
        verify(BODY, sign(BODY, iss="old"), keys, NOW)


@pytest.mark.parametrize(
    ("token", "rotated"),
    [
        (sign(BODY, iss="new"), True),
        (sign(BODY, secret="n" * 40), True),
        (sign(BODY, exp=1), False),
        (sign(b"{}"), False),
        ("a.b.c", False),
        (None, False),
    ],
)
def test_it_says_when_fresher_keys_could_change_the_verdict(token: str | None, rotated: bool) -> None:  # noqa: FBT001
    with pytest.raises(NotLiveKitError) as refused:
        verify(BODY, token, KEYS, NOW)
    assert refused.value.maybe_rotated is rotated


def test_an_endless_token_is_refused_unread() -> None:
    token = sign(BODY, pad="x" * MAX_TOKEN_CHARS)
    with pytest.raises(NotLiveKitError) as refused:
        verify(BODY, token, KEYS, NOW)
    assert refused.value.reason == "malformed_token"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"null",
        b"[]",
        b'"room_started"',
        b'{"event":5}',
        b'{"event":null}',
        b'{"event":""}',
        b'{"event":"x","event":"y"}',
        b'{"event":"x","a":{"b":1,"b":2}}',
        b'{"event":"x","a":NaN}',
        b'{"event":"x","a":-Infinity}',
        b'{"event":"x"} {}',
        b'{"event":"x\x01"}',
        b'\xef\xbb\xbf{"event":"x"}',
        '{"event":"x"}'.encode("utf-16"),
        b'{"event":"\xff"}',
        b'{"event":"x","a":' + b"9" * 5000 + b"}",
        b'{"event":"x","a":' + b"[" * 100_000,
    ],
)
def test_a_signed_body_that_is_no_event_is_a_bad_event(body: bytes) -> None:
    with pytest.raises(BadEventError) as refused:
        verify(body, sign(body), KEYS, NOW)
    assert refused.value.status == 400


def test_an_event_without_an_id_is_told_by_its_body() -> None:
    first, second = parse_event(b'{"event":"x"}'), parse_event(b'{"event":"x" }')
    assert first.id.startswith("sha256-")
    assert first.id != second.id
    assert (first.room_id, first.egress_id, first.created_at) == (None, None, None)


def test_the_room_is_found_in_the_guides_sample_too() -> None:
    event = parse_event(b'{"event":"egress_ended","egressInfo":{"egress_id":"EG_1","room_id":"RM_9"}}')
    assert (event.room_id, event.egress_id) == ("RM_9", "EG_1")


def test_odd_fields_of_the_body_are_left_alone() -> None:
    event = parse_event(b'{"event":"x","room":5,"egressInfo":[],"id":7,"createdAt":true}')
    assert (event.room_id, event.created_at) == (None, None)
    assert event.id.startswith("sha256-")
