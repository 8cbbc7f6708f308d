"""The formula language of the Airtable stand-in: its grammar, its coercions, and what it refuses."""

from __future__ import annotations

import contextlib
import datetime as dt
import math
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyairtable import formulas as f

from scripts.local.airtable.errors import FormulaRefusal
from scripts.local.airtable.formula import Row, compiled
from scripts.local.airtable.formula_values import ERROR, Value

CREATED = dt.datetime(2026, 11, 24, 0, 0, 35, tzinfo=dt.UTC)
NOW = dt.datetime(2026, 11, 25, 12, 30, 15, tzinfo=dt.UTC)
CELLS: dict[str, Value] = {
    "room_name": "camille",
    "Room (2)": "b",
    "size": 189_000,
    "ratio": 1.5,
    "done": True,
    "started": CREATED,
    "empty": None,
    "quote": 'it\'s "x"',
}


def value(formula: object, cells: Mapping[str, Value] = CELLS) -> Value:
    row = Row(cell=lambda name: cells[name], record_id="rec00000000000001", created=CREATED, now=NOW)
    return compiled(str(formula), cells.keys()).value(row)


def keeps(formula: object, cells: Mapping[str, Value] = CELLS) -> bool:
    row = Row(cell=lambda name: cells[name], record_id="rec00000000000001", created=CREATED, now=NOW)
    return compiled(str(formula), cells.keys()).keeps(row)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("1", 1),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("-2", -2.0),
        ("--2", 2.0),
        ("-'x'", ERROR),
        ("'a'", "a"),
        ('"a"', "a"),
        (r"'it\'s'", "it's"),
        (r'"say \"x\""', 'say "x"'),
        (r"'a\\b'", "a\\b"),
        (r"'a\nb\rc\td'", "a\nb\rc\td"),
        ("'a\nb'", "a\nb"),
        ("{room_name}", "camille"),
        ("room_name", "camille"),
        ("{Room (2)}", "b"),
        ("  ( {size} )  ", 189_000),
        ("1+2*3", 7.0),
        ("(1+2)*3", 9.0),
        ("10-2-3", 5.0),
        ("8/4/2", 1.0),
        ("1/0", math.inf),
        ("-1/0", -math.inf),
        ("'x'+1", ERROR),
        ("{empty}+1", 1.0),
        ("{done}+1", 2.0),
        ("1+{started}", ERROR),
        ("'a'&'b'", "ab"),
        ("'a'&1+2", "a3"),
        ("1.5&''", "1.5"),
        ("1/0&''", "inf"),
        ("{empty}&'x'", "x"),
        ("{done}&''", "1"),
        ("{started}&''", "2026-11-24T00:00:35.000Z"),
        ("DATEADD({empty},1,'days')&'x'", ERROR),
        ("'x'&DATEADD({empty},1,'days')", ERROR),
        ("1<2=TRUE()", True),
    ],
)
def test_expressions(formula: str, expected: Value) -> None:
    assert value(formula) == expected


def test_zero_over_zero_is_nan_and_nan_equals_nothing() -> None:
    assert math.isnan(value("0/0"))  # pyright: ignore[reportArgumentType]
    assert value("0/0=0/0") is False
    assert value("0/0!=1") is True
    assert value("1<0/0") is False
    assert not keeps("0/0")
    assert math.isnan(value("(0/0)/0"))  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("{room_name}='camille'", True),
        ("{room_name}='Camille'", False),
        ("{room_name}!='Camille'", True),
        ("'a'<'b'", True),
        ("'b'<='a'", False),
        ("{size}=189000", True),
        ("{size}>=189000", True),
        ("{size}<189000", False),
        ("{size}>189000.5", False),
        ("{empty}=''", True),
        ("{empty}=0", True),
        ("{empty}=BLANK()", True),
        ("{empty}=FALSE()", True),
        ("{empty}='x'", False),
        ("{empty}<1", True),
        ("{done}=TRUE()", True),
        ("{done}=1", True),
        ("{started}={started}", True),
        ("{started}=DATETIME_PARSE('2026-11-24T00:00:35.000Z')", True),
        ("{started}='2026-11-24T00:00:35.000Z'", False),
        ("{started}!='2026-11-24'", True),
        ("{started}={empty}", False),
        ("{empty}<{started}", ERROR),
        ("{started}>{empty}", ERROR),
        ("{started}<DATETIME_PARSE('2026-11-24T00:00:36Z')", True),
        ("DATEADD({empty},1,'days')=1", ERROR),
        ("1=DATEADD({empty},1,'days')", ERROR),
    ],
)
def test_comparisons(formula: str, expected: Value) -> None:
    assert value(formula) is expected


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("AND(1,'x',{started})", True),
        ("AND(1,{empty})", False),
        ("OR(0,'')", False),
        ("OR(0,'x')", True),
        ("or(and(true(),not(false())))", True),
        ("NOT({empty})", True),
        ("XOR(1,1,1)", True),
        ("XOR(1,1)", False),
        ("OR(TRUE(),IS_AFTER({empty},NOW()))", ERROR),
        ("IF({done},'y','n')", "y"),
        ("IF({empty},'y','n')", "n"),
        ("IF({empty},'y')", None),
        ("IF(IS_AFTER({empty},NOW()),1,2)", ERROR),
        ("IF({empty},IS_AFTER({empty},NOW()),2)", 2),
        ("BLANK()", None),
        ("RECORD_ID()", "rec00000000000001"),
        ("CREATED_TIME()", CREATED),
        ("NOW()", NOW),
        ("TODAY()", dt.datetime(2026, 11, 25, tzinfo=dt.UTC)),
        ("FIND('mil',{room_name})", 3),
        ("FIND('Mil',{room_name})", 0),
        ("FIND('1',{size})", 1),
        ("SEARCH('mil',{room_name})", 3),
        ("SEARCH('zzz',{room_name})", None),
        ("LOWER('ÀB')", "àb"),
        ("UPPER('ab')", "AB"),
        ("TRIM('  a ')", "a"),
        ("LEN({empty})", 0),
        ("LEN({room_name})", 7),
        ("VALUE('1,234.5')", 1234.5),
        ("VALUE('x')", ERROR),
        ("EXACT('a','A')", False),
        ("EXACT({empty},'')", True),
        ("CONCATENATE('a',1,{empty})", "a1"),
        ("ABS(-3)", 3.0),
        ("ABS('x')", ERROR),
    ],
)
def test_functions(formula: str, expected: Value) -> None:
    assert value(formula) == expected


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("IS_BEFORE({started},'2026-11-25')", True),
        ("IS_BEFORE({started},{started})", False),
        ("IS_AFTER({started},'2026-11-24T00:00:34.999Z')", True),
        ("IS_AFTER({started},'2026-11-24T01:00:34+01:00')", True),
        ("IS_AFTER({empty},NOW())", ERROR),
        ("IS_BEFORE(NOW(),'soon')", ERROR),
        ("IS_BEFORE(NOW(),3)", ERROR),
        ("IS_SAME({started},'2026-11-24T00:00:35Z')", True),
        ("IS_SAME({started},'2026-11-24')", False),
        ("IS_SAME({started},'2026-11-24','day')", True),
        ("IS_SAME({started},'2026-11-25','days')", False),
        ("IS_SAME({started},'2026-12-24','year')", True),
        ("IS_SAME({empty},'2026-11-24','day')", ERROR),
        ("IS_SAME({started},{empty})", ERROR),
        ("DATETIME_PARSE('2026-11-24 00:00:35')", CREATED),
        ("DATETIME_PARSE('2026-13-24')", ERROR),
        ("DATETIME_PARSE('0001-01-01T00:00:00+14:00')", ERROR),
        ("DATEADD({started},-35,'seconds')", dt.datetime(2026, 11, 24, tzinfo=dt.UTC)),
        ("DATEADD({started},1,'week')", CREATED + dt.timedelta(days=7)),
        ("DATEADD('2026-01-31',1,'month')", dt.datetime(2026, 2, 28, tzinfo=dt.UTC)),
        ("DATEADD('2026-01-31',-1,'quarters')", dt.datetime(2025, 10, 31, tzinfo=dt.UTC)),
        ("DATEADD('2024-02-29',1,'years')", dt.datetime(2025, 2, 28, tzinfo=dt.UTC)),
        ("DATEADD({started},99999,'years')", ERROR),
        ("DATEADD({started},999999999,'weeks')", ERROR),
        ("DATEADD({empty},1,'days')", ERROR),
        ("DATEADD({started},'x','days')", ERROR),
        ("DATETIME_DIFF({started},'2026-11-24')", 35),
        ("DATETIME_DIFF('2026-11-24',{started},'minutes')", 0),
        ("DATETIME_DIFF({started},'2026-11-24','milliseconds')", 35_000),
        ("DATETIME_DIFF({empty},{started})", ERROR),
    ],
)
def test_date_functions(formula: str, expected: Value) -> None:
    assert value(formula) == expected


@pytest.mark.parametrize(
    ("formula", "why"),
    [
        ("", "Unexpected 'end'"),
        ("1 2", "Unexpected '2'"),
        ("(1", r"'\)' is missing"),
        ("AND(1,2", r"'\)' is missing"),
        ("AND(1,)", r"Unexpected '\)'"),
        ("1=", "Unexpected 'end'"),
        ("'abc", "no closing quote"),
        ("{abc", "no closing brace"),
        (r"'a\x'", "Unknown escape"),
        ("'a\\", "Unknown escape"),
        ("#", "begins nothing"),
        ("“a”", "begins nothing"),
        ("{Room}=1", "Unknown field names: room$"),
        ("AND({a b}=1,Cd=2)", "Unknown field names: a b, cd$"),
        ("REGEX_MATCH({room_name},'x')", "Unknown function names: regex_match$"),
        ("NOT(1,2)", "NOT does not take 2 arguments"),
        ("IF(1)", "IF does not take 1 arguments"),
        ("-AND()", "AND does not take 0 arguments"),
        ("(" * 61 + "1" + ")" * 61, "Nested deeper than 60"),
        ("-" * 5000 + "1", "Nested deeper than 60"),
        ("{size}='189000'", "compares a number with text"),
        ("'1'<1", "compares text with a number"),
        ("{started}<'2026-11-25'", "orders a date and text"),
        ("1<{started}", "orders a number and a date"),
        ("FIND('l','lll',2)", "a start position"),
        ("SEARCH('l','lll',2)", "a start position"),
        ("SEARCH('MIL',{room_name})", "whether SEARCH minds case"),
        ("DATETIME_PARSE('24/11/2026','DD/MM/YYYY')", "DATETIME_PARSE with a format"),
        ("IS_SAME({started},{started},'fortnight')", "unit 'fortnight' of IS_SAME"),
        ("DATEADD({started},1,'fortnights')", "unit 'fortnights' of DATEADD"),
        ("DATETIME_DIFF({started},{started},'aeon')", "unit 'aeon' of DATETIME_DIFF"),
    ],
)
def test_what_cannot_be_answered_truly_is_refused_by_name(formula: str, why: str) -> None:
    with pytest.raises(FormulaRefusal, match=f"The formula for filtering records is invalid: .*{why}") as caught:
        value(formula)
    assert (caught.value.status, caught.value.kind) == (422, "INVALID_FILTER_BY_FORMULA")


@pytest.mark.parametrize(
    ("formula", "kept"),
    [
        *(("1", True), ("-1", True), ("{started}", True), ("'0'", True)),
        *(("0", False), ("''", False), ("BLANK()", False), ("FALSE()", False), ("IS_AFTER({empty},NOW())", False)),
    ],
)
def test_a_filter_keeps_what_is_true(formula: str, *, kept: bool) -> None:
    assert keeps(formula) is kept


HOSTILE = st.text() | st.text(alphabet="'\"\\{}(),=& \n\r\tnAND", max_size=20)


@given(wanted=HOSTILE, other=HOSTILE)
def test_any_text_finds_itself_and_nothing_else(wanted: str, other: str) -> None:
    formula = f.EQ(f.Field("room"), wanted)
    assert keeps(formula, {"room": wanted})
    assert keeps(formula, {"room": wanted or None})
    assert keeps(formula, {"room": other}) is (wanted == other)
    assert keeps(f.NE(f.Field("room"), wanted), {"room": other}) is (wanted != other)
    assert value(f.FunctionCall("EXACT", f.Field("room"), wanted), {"room": other}) is (wanted == other)


@given(name=HOSTILE.map(lambda name: name.replace("\\", "/")), wanted=HOSTILE)
def test_any_field_name_without_a_backslash_can_be_named(name: str, wanted: str) -> None:
    assert keeps(f.match({name: wanted}), {name: wanted})


@given(wanted=HOSTILE)
def test_text_functions_agree_with_python(wanted: str) -> None:
    assert value(f.FIND(wanted, f.Field("room")), {"room": f"ab{wanted}c"}) == f"ab{wanted}c".find(wanted) + 1
    assert value(f.LEN(wanted), {}) == len(wanted)
    assert value(f.LOWER(wanted), {}) == wanted.lower()


NUMBERS = st.integers(-(10**12), 10**12) | st.floats(-1e12, 1e12, allow_subnormal=False)


@given(left=NUMBERS, right=NUMBERS)
def test_numbers_compare_as_in_python(left: float, right: float) -> None:
    cells: dict[str, Value] = {"n": left}
    assert keeps(f.EQ(f.Field("n"), right), cells) is (left == right)
    assert keeps(f.NE(f.Field("n"), right), cells) is (left != right)
    assert keeps(f.LT(f.Field("n"), right), cells) is (left < right)
    assert keeps(f.LTE(f.Field("n"), right), cells) is (left <= right)
    assert keeps(f.GT(f.Field("n"), right), cells) is (left > right)
    assert keeps(f.GTE(f.Field("n"), right), cells) is (left >= right)


MOMENTS = st.datetimes(
    dt.datetime(1970, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    dt.datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from([dt.UTC, dt.timezone(dt.timedelta(hours=5, minutes=30))]),
).map(lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000))


@given(left=MOMENTS, right=MOMENTS)
def test_dates_compare_as_in_python(left: dt.datetime, right: dt.datetime) -> None:
    cells: dict[str, Value] = {"at": left}
    assert keeps(f.match({"at": (">", right)}), cells) is (left > right)
    assert keeps(f.match({"at": right}), cells) is (left == right)
    assert keeps(f.IS_BEFORE(f.Field("at"), right), cells) is (left < right)
    assert keeps(f.IS_AFTER(f.Field("at"), right), cells) is (left > right)
    assert keeps(f.FunctionCall("IS_SAME", f.Field("at"), right), cells) is (left == right)


Tree = tuple[f.Formula, bool]


def joined(name: str, parts: list[Tree]) -> Tree:
    truths = [truth for _, truth in parts]
    trees = [tree for tree, _ in parts]
    match name:
        case "and":
            return f.AND(*trees), all(truths)
        case "or":
            return f.OR(*trees), any(truths)
        case "xor":
            return f.XOR(*trees), sum(truths) % 2 == 1
        case _:
            return f.NOT(trees[0]), not truths[0]


LEAVES = st.tuples(HOSTILE, HOSTILE).map(lambda pair: (f.EQ(pair[0], pair[1]), pair[0] == pair[1])) | st.booleans().map(
    lambda truth: (f.to_formula(truth), truth)
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.builds(
        joined, st.sampled_from(["and", "or", "xor", "not"]), st.lists(inner, min_size=1, max_size=3)
    ),
    max_leaves=8,
)


@given(tree=TREES)
def test_logic_agrees_with_python(tree: Tree) -> None:
    assert keeps(tree[0]) is tree[1]


@given(text=st.text(alphabet="'\"\\{}()=<>!,&+-*/ 1aAND.", max_size=40))
def test_any_characters_are_a_formula_or_a_refusal(text: str) -> None:
    with contextlib.suppress(FormulaRefusal):
        value(text)
