"""docs/security.md: it mutes what the lists mute, and names only tests, files and commands that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from infra.keys import KEYS
from infra.package import ROOT
from tests.audit.document import DOCUMENT, shown, table
from tests.audit.muted import DEPLOYED, POLICIES
from tests.audit.muted_prowler import PROWLER

TEXT = DOCUMENT.read_text()


def test_what_is_muted_and_what_the_document_says_is_are_the_same() -> None:
    assert shown(TEXT) == table(), "run: make docs"
    listed = {(tool, check) for tool, checks in re.findall(r"^\| (\w+) \| (`.*?`) \| `", shown(TEXT), re.M)
              for check in re.findall(r"`(\w+)`", checks)}  # fmt: skip
    assert listed == {(entry.tool, entry.check) for entry in (*PROWLER, *POLICIES, *DEPLOYED)}


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:tests|infra|scripts|docs)/[\w./]+)`", TEXT))))
def test_every_file_that_it_names_exists(path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^):]+)\)", TEXT))))
def test_every_link_leads_somewhere(link: str) -> None:
    name, _, anchor = link.partition("#")
    target = (DOCUMENT.parent / name).resolve() if name else DOCUMENT
    anchors = {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", target.read_text(), re.M)
    }
    assert not anchor or anchor in anchors


def test_every_key_that_it_sets_is_one() -> None:
    named = set(re.findall(r"pulumi config set (?:--secret )?(\w+)", TEXT))
    assert named
    assert named <= {key.name for key in KEYS}


def test_it_stands_in_the_readme() -> None:
    assert "(docs/security.md)" in Path(ROOT, "README.md").read_text()
