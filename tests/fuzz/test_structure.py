"""Structure instead of bytes: hypothesis makes the JSON, the fuzz targets say whether it was handled as promised."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz import play, receive, recording
from tests.unit.functions_support import KEY, NOW, ended, url_event

RUN = settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=6)
    | st.sampled_from(["\ud800", "\ufffe", "9" * 30, 10**400, 5e-324, "EGRESS_COMPLETE", "recordings", "calls/a.mp4"])
)


def nested(names: list[str]) -> st.SearchStrategy[Any]:
    """JSON of any shape whose objects have these names."""
    return st.recursive(
        SCALARS,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(names) | st.text(max_size=3), inner, max_size=5)
        ),
        max_leaves=12,
    )


def as_bytes(form: int, *lines: Any) -> bytes:
    """A fuzz target's input: the form, then one JSON document a line."""
    return bytes([form]) + b"\n".join(json.dumps(line).encode() for line in lines)


INFO_NAMES = [
    *ended()["egressInfo"],
    "egress_id",
    "file_results",
    "backupStorageUsed",
    "s3",
    "bucket",
    "filename",
    "size",
]
PAYLOADS = st.fixed_dictionaries(
    {"event": st.sampled_from(["egress_ended", "room_started", "", 5])},
    optional={"id": SCALARS, "createdAt": SCALARS, "room": nested(["sid", "name"]), "egressInfo": nested(INFO_NAMES)},
)


@RUN
@given(PAYLOADS)
def test_whatever_livekit_signs_is_enqueued_or_refused(payload: dict[str, Any]) -> None:
    receive.one_input(as_bytes(2, payload))


@RUN
@given(
    st.fixed_dictionaries({}, optional=dict.fromkeys(("alg", "typ", "kid", "crit", "b64"), SCALARS))
    | st.just({"alg": "HS256"}),
    st.fixed_dictionaries(
        {"iss": st.just(KEY), "sha256": st.just("$HASH"), "exp": st.just(NOW + 60) | SCALARS},
        optional={name: nested(["a"]) for name in ("nbf", "iat", "aud", "sub", "jti", "video")},
    ),
    PAYLOADS,
)
def test_whatever_a_holder_of_the_key_claims(header: Any, claims: Any, payload: Any) -> None:
    receive.one_input(as_bytes(3, header, claims, payload))


EVENTS = st.dictionaries(
    st.sampled_from([*url_event(), "cookies"]),
    nested(["http", "method", "authorization", "POST", "GET"]),
) | st.builds(
    lambda body, headers, path: url_event(body, headers=headers, path=path),
    st.text(max_size=20),
    st.dictionaries(st.sampled_from(["authorization", "Authorization", "x"]), st.text(max_size=9), max_size=3),
    st.text(max_size=20),
)


@RUN
@given(EVENTS)
def test_no_shape_of_event_breaks_a_handler(event: dict[str, Any]) -> None:
    receive.one_input(as_bytes(4, event))
    play.one_input(as_bytes(5, event))


@RUN
@given(
    st.fixed_dictionaries(
        {"k": st.just("calls/a") | SCALARS, "v": st.just("v1") | SCALARS, "x": st.just(9**12) | SCALARS},
        optional=dict.fromkeys("enrdt", SCALARS),
    )
    | nested([*"kvenxrdt"])
)
def test_no_content_of_a_token_breaks_play(payload: Any) -> None:
    play.one_input(as_bytes(2, payload))


@RUN
@given(nested(INFO_NAMES))
def test_no_nesting_breaks_a_recording(info: Any) -> None:
    recording.one_input(as_bytes(1, info))


@RUN
@given(
    st.fixed_dictionaries(
        {
            "egressId": st.just("EG_1") | SCALARS,
            "status": st.sampled_from(["EGRESS_COMPLETE", "EGRESS_FAILED", 3, 4, 5]),
        },
        optional={name: nested(INFO_NAMES) for name in INFO_NAMES if name not in ("egressId", "status")},
    )
)
def test_no_value_breaks_a_recording(info: Any) -> None:
    recording.one_input(as_bytes(1, info))


@pytest.mark.parametrize("target", [receive, recording, play])
def test_the_seeds_pass_on_every_platform(target: Any) -> None:
    for seed in target.seeds():
        target.one_input(seed)
