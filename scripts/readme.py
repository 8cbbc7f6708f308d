"""The part of README.md that the program itself knows: the table of configuration keys. `make docs` writes it."""

from __future__ import annotations

import re
from pathlib import Path

from infra.keys import KEYS
from infra.rules import Key
from scripts.deployment import ROOT

README = ROOT / "README.md"
PART = re.compile(r"(<!-- configuration keys -->\n).*?(<!-- end -->)", re.DOTALL)


def table() -> str:
    """Every configuration key with its default and its rule, in Markdown."""
    rows = [f"| `{key.name}` | {_default(key)} | {key.rule} |" for key in KEYS]
    return "\n".join(["| key | default | rule |", "|---|---|---|", *rows, ""])


def written(text: str) -> str:
    """README's text with the table as the program has it now."""
    return PART.sub(lambda found: f"{found[1]}{table()}{found[2]}", text)


def _default(key: Key) -> str:
    if key.required:
        return "required, secret" if key.secret else "required"
    if key.secret:
        return "unset, secret"
    return f"`{key.default}`" if key.default else "unset"


def main(readme: Path = README) -> None:
    """Write the table anew."""
    readme.write_text(written(readme.read_text()))


if __name__ == "__main__":
    main()
