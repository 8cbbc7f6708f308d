"""How far to look back: what is understood, what is refused, and the days it is cut into."""

from __future__ import annotations

import pytest

from infra.functions import reconcile as function
from scripts.errors import ScriptError
from scripts.reconcile import span
from scripts.reconcile.span import DAY, Piece, pieces, seconds, words


@pytest.mark.parametrize(
    ("text", "length"), [("90m", 5400), ("24h", 86_400), ("7d", 604_800), ("1m", 60), ("30d", 30 * DAY)]
)
def test_a_span_is_understood(text: str, length: int) -> None:
    assert seconds(text) == length


@pytest.mark.parametrize(
    "text", ["", "24", "h", "0h", "-1h", "1.5h", " 1h", "1h ", "1w", "1H", "31d", "43201m", "٣h", "9999999m", "1h\n"]
)
def test_anything_else_is_refused_with_the_rule_and_the_value(text: str) -> None:
    with pytest.raises(ScriptError) as refused:
        seconds(text)
    assert str(refused.value).startswith("--since: a number and its unit (m, h or d), up to 30d;")
    assert repr(text) in str(refused.value)
    assert "callrec reconcile --since 24h" in str(refused.value)


def test_the_longest_is_what_the_function_takes() -> None:
    assert span.LONGEST_SECONDS == function.LONGEST_SINCE_SECONDS


@pytest.mark.parametrize(
    ("length", "cut"),
    [
        (60, [(60, 0)]),
        (DAY, [(DAY, 0)]),
        (DAY + 1, [(DAY, 0), (DAY + 1, DAY)]),
        (3 * DAY, [(DAY, 0), (2 * DAY, DAY), (3 * DAY, 2 * DAY)]),
    ],
)
def test_a_long_span_is_cut_into_days_the_newest_first(length: int, cut: list[tuple[int, int]]) -> None:
    assert list(pieces(length)) == [Piece(since=since, until=until) for since, until in cut]


@pytest.mark.parametrize(("length", "said"), [(5400, "90m"), (86_400, "1d"), (7200, "2h"), (60, "1m")])
def test_a_length_is_said_in_its_largest_unit(length: int, said: str) -> None:
    assert words(length) == said
