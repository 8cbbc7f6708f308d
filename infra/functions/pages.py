"""The pages a person sees instead of a recording: plain words, readable on a phone, by day and by night, and aloud."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import Any

from .function_url import response

_STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:0 auto;padding:12vh 1.25rem 2rem;"
    "color:#1c1c1c;background:#fff;overflow-wrap:anywhere}"
    "h1{font-size:1.5rem;line-height:1.25;margin:0 0 1rem}p{margin:0 0 1rem}"
    "@media(prefers-color-scheme:dark){body{color:#ececec;background:#161616}}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
# Nothing may be loaded or run here, and nobody may show this page inside one of theirs.
_SECURITY = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Robots-Tag": "noindex",
}
_ASK = "ask whoever looks after your practice's recordings"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    status: int
    title: str
    texts: tuple[str, ...]


_PAGES = {
    "bad": _Page(
        status=403,
        title="This link does not work",
        texts=("Perhaps only a part of it was copied. Open the recording from its conversation again.",),
    ),
    "network": _Page(
        status=403,
        title="Recordings cannot be played from here",
        texts=(
            "Your practice has recordings played only from its own networks.",
            f"Use a computer at the practice, or connect to its network first. If you have done so, {_ASK}.",
        ),
    ),
    "nothing": _Page(
        status=404, title="There is nothing here", texts=("Open the recording from its conversation again.",)
    ),
    "method": _Page(status=405, title="This cannot be done", texts=("A recording can only be played.",)),
    "archived": _Page(
        status=409,
        title="This recording is archived",
        texts=(
            "It is kept safe, but must be restored before it can be played. That takes hours.",
            f"To have it restored, {_ASK}.",
        ),
    ),
    "expired": _Page(
        status=410,
        title="This link has expired",
        texts=(
            "Links to recordings stop working after a while, so that an old one cannot be used to listen.",
            f"Open the recording from its conversation again: the link there may be newer. If it is not, {_ASK}.",
        ),
    ),
    "revoked": _Page(
        status=410,
        title="This link was withdrawn",
        texts=(
            "Your practice has ended this link early.",
            f"Open the recording from its conversation again: there may be a new link. If there is none, {_ASK}.",
        ),
    ),
    "erased": _Page(
        status=410,
        title="This recording was erased",
        texts=("Your practice has erased it. It cannot be brought back, and no link to it will work again.",),
    ),
    "gone": _Page(
        status=410,
        title="This recording is not kept any more",
        texts=("Recordings are deleted after a while.", f"If you think that this one should still be here, {_ASK}."),
    ),
    "failed": _Page(
        status=503,
        title="The recording cannot be played right now",
        texts=(f"Nothing has happened to it. Try again in a few minutes. If it still does not play then, {_ASK}.",),
    ),
}
NAMES = tuple(_PAGES)


def page(name: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
    """A short page that says what a person can do, and no detail; `name` is one of NAMES."""
    shown = _PAGES[name]
    texts = "".join(f"<p>{text}</p>" for text in shown.texts)
    html = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{shown.title}</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{shown.title}</h1>{texts}</main></body></html>"
    )
    return response(shown.status, html, "text/html; charset=utf-8", _SECURITY | (headers or {}))
