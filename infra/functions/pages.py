"""The plain pages a person sees instead of a recording."""

from __future__ import annotations

from typing import Any

from .function_url import response

_STYLE = "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:3rem auto;padding:0 1rem}"
_SECURITY = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'", "X-Robots-Tag": "noindex"}

_TEXTS = {
    403: ("This link does not work", "Open the recording from its conversation again."),
    404: ("There is nothing here", "Open the recording from its conversation."),
    405: ("This cannot be done", "A recording can just be played."),
    409: ("This recording is archived", "It must be restored before it can be played. Ask your administrator."),
    410: (
        "This recording cannot be played any more",
        "The link is too old or was withdrawn, or the recording is gone.",
    ),
    503: ("The recording cannot be played right now", "Try again in a few minutes."),
}


def page(status: int, headers: dict[str, str] | None = None) -> dict[str, Any]:
    """A short page that says what a person can do, and no detail."""
    title, text = _TEXTS[status]
    html = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head>"
        f"<body><h1>{title}</h1><p>{text}</p></body></html>"
    )
    return response(status, html, "text/html; charset=utf-8", _SECURITY | (headers or {}))
