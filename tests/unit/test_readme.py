"""README.md says what the program does: its keys, its commands, its exit codes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from scripts import readme
from scripts.cli import app

TEXT = readme.README.read_text()


def test_the_table_of_keys_is_the_programs() -> None:
    assert readme.written(TEXT) == TEXT, "run: make docs"
    assert "| `linkDays` | `30` |" in TEXT
    assert "| `airtableToken` | required, secret |" in TEXT
    assert "| `previousLinkSigningKey` | unset, secret |" in TEXT
    assert "| `retentionDays` | unset |" in TEXT


def test_the_parts_are_written_anew(tmp_path: Path) -> None:
    copy, drawn = tmp_path / "README.md", tmp_path / "cost.svg"
    stale = readme.PART.sub(r"\1stale\n\3", TEXT)
    assert stale.count("stale\n<!-- end -->") == 3
    copy.write_text(stale)
    readme.main(copy, drawn)
    assert copy.read_text() == TEXT
    assert drawn.read_text() == readme.PICTURE.read_text()


def test_costs_and_their_picture_are_those_of_the_command(tmp_path: Path) -> None:
    drawn = tmp_path / "cost.svg"
    told = CliRunner().invoke(app, ["cost", "--markdown", "--plot", str(drawn)])
    assert told.exit_code == 0
    assert told.stdout in TEXT
    assert drawn.read_text() == readme.PICTURE.read_text(), "run: make docs"
    assert "docs/cost.svg" in TEXT


@pytest.mark.parametrize(
    "command",
    [
        "configure",
        "env",
        "status",
        "dashboard",
        "cost",
        "rooms create",
        "check-token",
        "erase",
        "hold",
        "teardown",
        "rotate uploader",
        "rotate livekit",
        "rotate links",
        "rotate airtable",
        "link revoke",
        "link refresh",
        "link show",
        "link audit",
    ],
)
def test_livekits_commands_stand_there_with_every_option(command: str) -> None:
    shown = CliRunner().invoke(app, [*command.split(), "--help"], env={"COLUMNS": "200", "NO_COLOR": "1"})
    [row] = [line for line in TEXT.splitlines() if line.startswith(f"| `callrec {command} ")]
    named = set(re.findall(r"--[a-z-]+", row.split(" | ")[0]))
    assert named == set(re.findall(r"--[a-z-]+", shown.output.partition("Options")[2])) - {"--help", "--stack"}


@pytest.mark.parametrize(
    "command", ["verify", "reconcile", "dlq", "redrive", "teardown", "local up", "local down", "local demo"]
)
def test_every_option_named_for_a_command_is_there(command: str) -> None:
    shown = CliRunner().invoke(app, [*command.split(), "--help"], env={"COLUMNS": "200", "NO_COLOR": "1"})
    assert shown.exit_code == 0
    rows = [line for line in TEXT.splitlines() if line.startswith("| `callrec") and f"callrec {command}" in line]
    assert rows
    for option in re.findall(r"--[a-z-]+", " ".join(row.split(" | ")[0] for row in rows)):
        assert option in shown.output


def test_every_command_is_in_the_readme() -> None:
    shown = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200", "NO_COLOR": "1"})
    commands = re.findall(r"^[│ ]*([a-z]+) {2,}", shown.output, re.MULTILINE)
    assert "verify" in commands
    for command in commands:
        assert f"`callrec {command}" in TEXT, command
