"""Airtable's ids: three letters for the kind and fourteen base-62 characters."""

from __future__ import annotations

import re
import secrets
import string

_ALPHABET = string.ascii_letters + string.digits


def new_id(kind: str) -> str:
    """A fresh id of that kind: app, tbl, fld, viw, rec, sel, itr, usr."""
    return kind + "".join(secrets.choice(_ALPHABET) for _ in range(14))


def is_id(kind: str, text: str) -> bool:
    """Whether the text has the shape of an id of that kind."""
    return re.fullmatch(rf"{kind}[0-9A-Za-z]{{14}}", text) is not None
