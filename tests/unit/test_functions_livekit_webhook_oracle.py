"""verify() against livekit-api's WebhookReceiver: the same verdict on thousands of mutated requests.

DIFFERENCES lists every way in which the verdicts may differ, which way, and why; each has an example that shows it.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

import jwt.api_jwt
import pytest
from google.protobuf.json_format import Parse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from livekit.api import TokenVerifier, WebhookReceiver
from livekit.protocol.webhook import WebhookEvent

from infra.functions.errors import WebhookError
from infra.functions.livekit_webhook import MAX_TOKEN_CHARS, verify
from tests.unit.functions_support import KEY, NOW, SECRET, captured, captured_names, claims

BODY = captured("egress_ended")[0]


@dataclass(frozen=True)
class Draft:
    """A request in the making: what is signed, with what, and how it is sent."""

    body: bytes
    claims: Any
    header: Any
    secret: str = SECRET
    form: str = "{}"
    edit: Callable[[str], str] = str

    @property
    def authorization(self) -> str:
        return self.form.format(self.edit(_token(self.header, self.claims, self.secret)))


def _token(header: Any, payload: Any, secret: str) -> str:
    text = f"{_segment(header)}.{_segment(payload)}"
    return f"{text}.{_encode(hmac.digest(secret.encode(), text.encode(), 'sha256'))}"


def _segment(value: Any) -> str:
    return _encode(json.dumps(value).encode())


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def draft(body: bytes = BODY, **changes: Any) -> Draft:
    return Draft(body=body, claims=claims(body, **changes), header={"alg": "HS256", "typ": "JWT"})


@contextmanager
def frozen() -> Generator[None]:
    class Frozen(dt.datetime):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> Frozen:
            return cls.fromtimestamp(NOW, tz)

    with patch.object(jwt.api_jwt, "datetime", Frozen):
        yield


def ours(request: Draft, secret: str = SECRET) -> bool:
    try:
        verify(request.body, request.authorization, {KEY: secret}, NOW)
    except WebhookError:
        return False
    return True


def theirs(request: Draft, secret: str = SECRET) -> bool:
    """Their errors are of many types: any is a refusal."""
    try:
        with frozen():
            WebhookReceiver(TokenVerifier(KEY, secret)).receive(request.body.decode(), request.authorization)
    except Exception:  # noqa: BLE001
        return False
    return True


# -- the differences: each takes a request and returns it without what makes the verdicts differ, or None ------------


def _bare(sent: str) -> str:
    return re.sub(r"(?i)\Abearer +", "", sent.strip(" \t"))


def _plain_scheme(request: Draft) -> Draft | None:
    if _bare(request.authorization) == request.authorization:
        return None
    return replace(request, form="{}", edit=lambda token: _bare(request.form.format(request.edit(token))))


def _no_grants(request: Draft) -> Draft | None:
    known = {"iss", "exp", "nbf", "iat", "sha256", "aud", "sub", "jti"}
    kept = {name: value for name, value in request.claims.items() if name in known}
    return None if kept == request.claims else replace(request, claims=kept)


def _number_times(request: Draft) -> Draft | None:
    changed = dict(request.claims)
    for name in ("exp", "nbf", "iat"):
        if isinstance(changed.get(name), bool | str):
            try:
                changed[name] = int(changed[name])
            except ValueError:
                return None
    return (
        None
        if changed == request.claims and repr(changed) == repr(request.claims)
        else replace(request, claims=changed)
    )


def _exact_base64(request: Draft) -> Draft | None:
    claim, digest = request.claims.get("sha256"), hashlib.sha256(request.body).digest()
    exact = base64.b64encode(digest).decode()
    try:
        same = isinstance(claim, str) and claim != exact and base64.b64decode(claim) == digest
    except ValueError:
        return None
    return replace(request, claims=request.claims | {"sha256": exact}) if same else None


def _with_body(request: Draft, body: bytes) -> Draft:
    """Another body, signed as well or as badly as the first."""
    if request.claims.get("sha256") != base64.b64encode(hashlib.sha256(request.body).digest()).decode():
        return replace(request, body=body)
    return replace(request, body=body, claims=request.claims | {"sha256": claims(body)["sha256"]})


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("duplicate")
    return dict(pairs)


def _loaded(request: Draft) -> dict[str, Any] | None:
    try:
        value = json.loads(request.body.decode(), object_pairs_hook=_pairs)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _named(request: Draft) -> Draft | None:
    value = _loaded(request)
    if value is None or value.get("event"):
        return None
    return _with_body(request, json.dumps(value | {"event": "x"}).encode())


def _without_constants(request: Draft) -> Draft | None:
    value = _loaded(request)
    if value is None or (b"NaN" not in request.body and b"Infinity" not in request.body):
        return None
    return _with_body(request, json.dumps(value).replace("NaN", "0").replace("-Infinity", "0").encode())


def _known_types(request: Draft) -> Draft | None:
    value = _loaded(request)
    name = value.get("event") if value else None
    if not isinstance(name, str) or not name:
        return None
    try:
        Parse(request.body.decode(), WebhookEvent(), ignore_unknown_fields=True)
    except Exception:  # noqa: BLE001
        return _with_body(request, b'{"event":"x"}')
    return None


def _short(request: Draft) -> Draft | None:
    return _no_grants(request) if len(request.authorization) > MAX_TOKEN_CHARS else None


@dataclass(frozen=True)
class Difference:
    why: str
    we_accept: bool
    without: Callable[[Draft], Draft | None]
    example: Draft
    secret: str = SECRET


DIFFERENCES = {
    "scheme": Difference(
        "`Bearer ` and blanks around the token carry no meaning; proxies and people who replay by hand add them",
        we_accept=True,
        without=_plain_scheme,
        example=replace(draft(), form="Bearer {}"),
    ),
    "grants": Difference(
        "a webhook's token grants nothing: other claims are not read, so a new kind of claim cannot lose events",
        we_accept=True,
        without=_no_grants,
        example=draft(video="x"),
    ),
    "body types": Difference(
        "a field of a type that today's schema does not know must not lose the event by a final 400: deliver reads "
        "what it needs leniently and dead-letters what it cannot use",
        we_accept=True,
        without=_known_types,
        example=draft(b'{"event":"room_started","room":5}'),
    ),
    "times": Difference(
        "LiveKit sends numbers; a bool or text is no NumericDate (RFC 7519 section 2)",
        we_accept=False,
        without=_number_times,
        example=draft(exp="9999999999"),
    ),
    "base64": Difference(
        "their decoder skips foreign characters; we compare the text itself in constant time",
        we_accept=False,
        without=_exact_base64,
        example=draft(sha256=claims(BODY)["sha256"] + "\n"),
    ),
    "no event": Difference(
        "an event without a name is none: 400 tells who replays by hand",
        we_accept=False,
        without=_named,
        example=draft(b'{"id":"EV_1"}'),
    ),
    "constants": Difference(
        "NaN and Infinity are not JSON (RFC 8259 section 6)",
        we_accept=False,
        without=_without_constants,
        example=draft(b'{"event":"x","unknown":NaN}'),
    ),
    "long": Difference(
        "a bound on what is parsed before the signature is checked",
        we_accept=False,
        without=_short,
        example=draft(pad="x" * 9000),
    ),
    "weak secret": Difference(
        "a secret under 32 bytes can be guessed from one token (RFC 7518 section 3.2)",
        we_accept=False,
        without=lambda request: replace(request, secret=SECRET) if len(request.secret) < 32 else None,
        example=replace(draft(), secret="secret"),
        secret="secret",
    ),
}


@pytest.mark.parametrize("name", DIFFERENCES)
@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
def test_each_listed_difference_is_real(name: str) -> None:
    difference = DIFFERENCES[name]
    assert ours(difference.example, difference.secret) is difference.we_accept
    assert theirs(difference.example, difference.secret) is not difference.we_accept
    plain = difference.without(difference.example)
    assert plain is not None
    assert ours(plain)
    assert theirs(plain)


# -- the mutations --------------------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["1795478500"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=3,
)
TIMES = st.integers(-400, 400).map(lambda offset: int(NOW) + offset) | st.floats(NOW - 400, NOW + 400)
BODIES = st.sampled_from([captured(name)[0] for name in captured_names()])
SEGMENTS = st.text("ABCXYZabcxyz0123456789-_=.+/ \n", max_size=8)


def _claim(name: str, value: Any) -> Callable[[Draft], Draft]:
    return lambda request: replace(request, claims=request.claims | {name: value})


def _without(name: str) -> Callable[[Draft], Draft]:
    return lambda request: replace(request, claims={key: v for key, v in request.claims.items() if key != name})


def _splice(at: float, junk: str, cut: int) -> Callable[[Draft], Draft]:
    def edit(token: str) -> str:
        index = int(at * len(token))
        return token[:index] + junk + token[index + cut :]

    return lambda request: replace(request, edit=edit)


def _body(at: float, junk: bytes, cut: int, *, again: bool) -> Callable[[Draft], Draft]:
    """Changed bytes, signed again (so that the body's own rules decide) or not."""

    def change(request: Draft) -> Draft:
        index = int(at * len(request.body))
        body = request.body[:index] + junk + request.body[index + cut :]
        fresh = {"sha256": base64.b64encode(hashlib.sha256(body).digest()).decode()} if again else {}
        return replace(request, body=body, claims=request.claims | fresh)

    return change


NAMES = st.sampled_from(["iss", "exp", "nbf", "iat", "sha256", "aud", "sub", "jti", "video", "sip", "name", "kind"])
MUTATIONS = st.one_of(
    st.builds(_claim, NAMES, JSON),
    st.builds(_claim, st.sampled_from(["exp", "nbf", "iat"]), TIMES | TIMES.map(str)),
    st.builds(_without, NAMES),
    st.builds(
        lambda header: lambda request: replace(request, header=header),
        st.sampled_from(["none", "HS256", "HS384", "HS512", "RS256", "hs256", None, 5]).map(lambda alg: {"alg": alg})
        | st.fixed_dictionaries(
            {"alg": st.just("HS256")}, optional={"kid": JSON, "crit": JSON, "b64": JSON, "typ": JSON}
        )
        | JSON,
    ),
    st.builds(_splice, st.floats(0, 1), SEGMENTS, st.integers(0, 3)),
    st.builds(_body, st.floats(0, 1), st.binary(max_size=4), st.integers(0, 3), again=st.booleans()),
    st.builds(
        _body,
        st.floats(0, 1),
        st.sampled_from([b'"', b"{", b"}", b",", b":", b"5", b"null", b"\\", b" ", b'"event":"x",', b"NaN"]),
        st.integers(0, 12),
        again=st.just(True),  # noqa: FBT003
    ),
    st.sampled_from(["Bearer {}", "bearer {}", " {}", "{} ", "Basic {}", "{0}.{0}", ""]).map(
        lambda form: lambda request: replace(request, form=form)
    ),
    st.just(lambda request: replace(request, secret="another-secret-another-secret-another")),
)


@settings(
    max_examples=2500,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    database=None,
)
@given(body=BODIES, mutations=st.lists(MUTATIONS, max_size=3))
def test_same_verdict_as_livekit_api(body: bytes, mutations: list[Callable[[Draft], Draft]]) -> None:
    request = draft(body)
    for mutate in mutations:
        request = mutate(request)
    mine, other = ours(request), theirs(request)
    if not mutations:
        assert mine
    for difference in DIFFERENCES.values() if mine is not other else ():
        request = difference.without(request) or request
    assert ours(request) is theirs(request), request
