"""The table of reasons is that of the functions: no code is missing, none is invented, each is explained."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

import infra.functions
from infra.functions import errors
from scripts.dead_letters.reasons import REASONS, RECEIVES_EXHAUSTED, checked, explained
from scripts.errors import UsageError

FUNCTIONS = Path(infra.functions.__path__[0])
ERRORS = {
    name
    for name, value in vars(errors).items()
    if isinstance(value, type) and issubclass(value, errors.DeliveryError) and value is not errors.DeliveryError
}


def codes(paths: Iterable[Path]) -> set[str]:
    """The first argument of every delivery error that is made in these files."""
    found: set[str] = set()
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ERRORS:
                first = node.args[0]
                assert isinstance(first, ast.Constant), f"{path.name}:{node.lineno}: a reason must be written out"
                found.add(str(first.value))
    return found


def reached(name: str, seen: set[str] | None = None) -> set[str]:
    """The functions' modules that this one imports, and those imported by them, itself included."""
    known = {name} if seen is None else seen | {name}
    for node in ast.walk(ast.parse((FUNCTIONS / f"{name}.py").read_text())):
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            imported = [node.module] if node.module else [alias.name for alias in node.names]
            for other in imported:
                if other not in known:
                    known |= reached(other, known)
    return known


def test_every_reason_that_deliver_can_give_is_explained() -> None:
    modules = reached("deliver")
    assert {"messages", "recording", "airtable", "conversations", "matching", "objects"} <= modules
    found = codes(FUNCTIONS / f"{name}.py" for name in modules)
    assert {"PermanentError", "WaitError"} <= ERRORS
    assert {"wrong_key", "behind", "airtable_rejected", "recording_missing"} <= found
    assert found | {RECEIVES_EXHAUSTED} <= set(REASONS)


def test_no_reason_is_explained_that_the_functions_do_not_have() -> None:
    assert set(REASONS) <= codes(FUNCTIONS.glob("*.py")) | {RECEIVES_EXHAUSTED}


@pytest.mark.parametrize("code", REASONS)
def test_an_explanation_says_what_it_means_and_what_mends_it_in_one_line_each(code: str) -> None:
    reason = REASONS[code]
    for sentence in (reason.meaning, reason.mend):
        assert sentence
        assert len(sentence) <= 120
        assert not sentence.endswith(".")
        assert sentence.count("`") % 2 == 0
    assert re.fullmatch(r"[a-z_]+", code)


def test_a_code_of_another_version_is_told_as_one() -> None:
    assert "another version" in explained("made_up").meaning


def test_only_known_codes_can_be_chosen() -> None:
    assert checked(["ambiguous", "fault", "fault"]) == {"ambiguous", "fault"}
    assert checked([]) == frozenset()
    with pytest.raises(UsageError, match=r"--reason 'ambigous': .* airtable_fields, .*ambiguous, .*wrong_key"):
        checked(["fault", "ambigous"])
