"""`callrec cost`: what is reckoned by hand the command reckons too, for every class, its least times and sizes."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from infra.keys import ARCHIVE_CLASSES
from scripts.context import Context
from scripts.cost import plot, prices
from scripts.cost.command import cost
from scripts.cost.estimate import SERVICES, months, tries, whole
from scripts.cost.practice import DAYS_IN_MONTH, Keeping, Load, calls_a_day
from scripts.cost.storage import GB, SMALLEST_ARCHIVED, at_age, daily
from scripts.errors import UsageError
from tests.unit.stack_support import world

PRICES = prices.load("us-east-1")
LOAD = Load(calls=100, minutes=30, bitrate=32, plays=0.2)
KEEPING = Keeping()
#: A recording of exactly one GB, so that prices can be read off.
WHOLE = replace(LOAD, calls=1, plays=0, minutes=GB / (60 * 32 * 1000 / 8 * 1.04))


def near(value: float) -> Any:
    return pytest.approx(value, rel=1e-6)


def kept(keeping: Keeping, ages: range, load: Load = WHOLE) -> float:
    """Dollars that one recording costs over these ages, without its move."""
    days = [at_age(age, load, keeping, PRICES) for age in ages]
    return sum(day.standard + day.archived for day in days)


def test_list_prices_of_us_east_1() -> None:
    classes = {name: (one.gb_month, one.into, one.retrieve, one.least_days) for name, one in PRICES.storage.items()}
    assert classes == {
        "STANDARD": (0.023, 0.0, 0.0, 0),
        "STANDARD_IA": (0.0125, 0.01, 0.01, 30),
        "INTELLIGENT_TIERING": (0.023, 0.01, 0.0, 0),
        "GLACIER_IR": (0.004, 0.02, 0.03, 90),
        "GLACIER": (0.0036, 0.03, 0.01, 90),
        "DEEP_ARCHIVE": (0.00099, 0.05, 0.02, 180),
    }
    assert set(ARCHIVE_CLASSES) < set(PRICES.storage)
    assert all(source.startswith("https://aws.amazon.com/") for source in PRICES.sources.values())
    assert {name for name in PRICES.sources if name != "s3"} == set(PRICES.others)


def test_a_recording_weighs_what_the_readme_says() -> None:
    assert round(LOAD.size / 1e6, 1) == 7.5
    assert (LOAD.puts, replace(LOAD, minutes=10).puts) == (4, 1)
    assert WHOLE.size in (GB, GB + 1)


def test_a_gigabyte_in_standard_and_then_in_the_archive() -> None:
    assert kept(KEEPING, range(30)) == near(0.023 * 30 / DAYS_IN_MONTH)
    assert kept(KEEPING, range(30, 395)) == near(0.004 * 12)
    assert at_age(30, WHOLE, KEEPING, PRICES).moved == near(0.02 / 1000)
    assert at_age(31, WHOLE, KEEPING, PRICES).moved == 0


def test_deleted_before_the_least_time_is_billed_until_then() -> None:
    early = Keeping(archive_after=10, retention=20, noncurrent=5)
    assert kept(early, range(10, 40)) == near(0.004 * 90 / DAYS_IN_MONTH)
    late = Keeping(archive_after=10, retention=200, noncurrent=5)
    assert kept(late, range(10, 400)) == near(0.004 * 195 / DAYS_IN_MONTH)
    assert kept(late, range(206, 400)) == 0


def test_a_version_that_expired_costs_until_it_is_gone() -> None:
    kept_on = Keeping(archive_after=0, retention=100, noncurrent=30, archive_class="GLACIER_IR")
    assert at_age(129, WHOLE, kept_on, PRICES).archived > 0
    assert at_age(130, WHOLE, kept_on, PRICES).archived == 0


def test_what_is_too_small_stays_in_standard() -> None:
    small = replace(WHOLE, minutes=0.3)
    assert small.size < SMALLEST_ARCHIVED
    day = at_age(300, small, KEEPING, PRICES)
    assert (day.archived, day.moved) == (0, 0)
    assert day.standard == near(small.size / GB * 0.023 / DAYS_IN_MONTH)


def test_glacier_adds_what_it_needs_to_every_object() -> None:
    day = at_age(40, WHOLE, Keeping(archive_class="DEEP_ARCHIVE"), PRICES)
    assert day.archived == near((WHOLE.size + 32768) / GB * 0.00099 / DAYS_IN_MONTH)
    assert day.standard == near(8192 / GB * 0.023 / DAYS_IN_MONTH)


def test_intelligent_tiering_grows_cheaper_by_itself() -> None:
    tiering = Keeping(archive_class="INTELLIGENT_TIERING", archive_after=0)
    watched = 0.0025 / 1000 / DAYS_IN_MONTH
    a_day = [at_age(age, WHOLE, tiering, PRICES).archived - watched for age in (0, 29, 30, 89, 90, 300)]
    assert [round(one * DAYS_IN_MONTH, 4) for one in a_day] == [0.023, 0.023, 0.0125, 0.0125, 0.004, 0.004]


def test_days_add_up_over_all_recordings() -> None:
    days = daily(3, replace(WHOLE, calls=10), KEEPING, PRICES)
    assert [day.standard for day in days] == [near(number * 10 * 0.023 / DAYS_IN_MONTH) for number in (1, 2, 3)]


def test_the_twelfth_month_by_hand() -> None:
    month = months(12, LOAD, KEEPING, PRICES)[11].services
    gb_a_day = 100 * LOAD.size / GB
    assert month["S3 storage: Standard"] == near(30 * gb_a_day * 0.023 * 30 / DAYS_IN_MONTH)
    # The 12th month is days 335 to 364; on day d there are d - 29 days of recordings in the archive.
    assert month["S3 storage: archive"] == near(sum(d - 29 for d in range(335, 365)) * gb_a_day * 0.004 / DAYS_IN_MONTH)
    requests = 30 * 100 * (4 * 0.005 + 0.02) / 1000
    assert month["S3 requests, moves to the archive"] == near(requests)
    assert month["KMS key"] == near(1 + 30 * 100 * (4 + 0.2 * 5) * 0.03 / 10_000)
    assert month["CloudWatch dashboard"] == 3.0
    assert month["Plays: reading, sending"] == near(30 * 20 * (LOAD.size / GB * 0.09 + 6 * 0.0004 / 1000))
    assert round(month["CloudWatch alarms, mails"], 2) == 1.8


def test_a_key_that_was_rotated_costs_more_twice() -> None:
    keys = [month.services["KMS key"] for month in months(48, LOAD, KEEPING, PRICES)]
    assert [round(keys[number] - keys[0]) for number in (11, 12, 23, 24, 36, 47)] == [0, 1, 1, 2, 2, 2]
    assert months(1, LOAD, replace(KEEPING, kms=False), PRICES)[0].services["KMS key"] == 0


def test_plays_from_the_archive_are_read_at_its_price() -> None:
    warm, cold = (
        months(1, LOAD, replace(KEEPING, archive_after=days, archive_class="GLACIER"), PRICES)[0] for days in (30, 0)
    )
    difference = cold.services["Plays: reading, sending"] - warm.services["Plays: reading, sending"]
    assert difference == near(30 * 20 * (0.05 / 1000 + LOAD.size / GB * 0.01))


def test_a_recording_matched_by_name_is_looked_for_until_it_settled() -> None:
    assert (tries(Keeping(settle_seconds=0)), tries(Keeping(settle_seconds=900))) == (1, 6)


@pytest.mark.parametrize("name", ARCHIVE_CLASSES)
def test_every_class_that_a_stack_may_have_is_reckoned(name: str) -> None:
    found = months(12, LOAD, Keeping(archive_class=name), PRICES)
    assert all(set(month.services) == set(SERVICES) for month in found)
    assert all(value >= 0 and math.isfinite(value) for month in found for value in month.services.values())
    assert whole(found).total == near(sum(month.total for month in found))


def test_a_stacks_configuration_is_read() -> None:
    config = {
        "archiveClass": "DEEP_ARCHIVE",
        "archiveAfterDays": "10",
        "retentionDays": "3650",
        "noncurrentDays": "7",
        "encryption": "s3",
        "recordRooms": "true",
        "functionArchitecture": "x86_64",
        "reconcileMinutes": "60",
    }
    assert Keeping.of(config) == Keeping(
        archive_class="DEEP_ARCHIVE",
        archive_after=10,
        retention=3650,
        noncurrent=7,
        kms=False,
        starts=True,
        architecture="x86_64",
        reconcile_minutes=60,
    )
    assert Keeping.of({}) == Keeping()


@pytest.mark.parametrize(("text", "calls"), [("100/day", 100), ("70/week", 10), ("365/month", 12), ("2.5", 2.5)])
def test_calls_as_people_count_them(text: str, calls: float) -> None:
    assert calls_a_day(text) == near(calls)


@pytest.mark.parametrize("text", ["", "0", "many", "100/year", "-5", "1e9"])
def test_what_is_no_number_of_calls(text: str) -> None:
    with pytest.raises(UsageError, match="--calls"):
        calls_a_day(text)


def run(*words: str) -> Any:
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(cost)
    return CliRunner().invoke(app, list(words), obj=Context(stack=""), env={"COLUMNS": "200", "NO_COLOR": "1"})


def test_the_command_needs_no_stack() -> None:
    done = run("--calls", "20/day", "--minutes", "10", "--months", "3")
    assert done.exit_code == 0
    assert "20 calls a day of 10 minutes at 32 kb/s" in done.stdout
    assert "month 3" in done.stdout


def test_the_command_in_json_names_its_prices() -> None:
    found = json.loads(run("--json", "--months", "1", "--retention-days", "400").stdout)
    assert found["keeping"]["retention"] == 400
    assert found["pricesAsOf"] == PRICES.as_of
    assert found["sources"]["s3"].startswith("https://")
    assert [set(month["services"]) for month in found["months"]] == [set(SERVICES)]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--region", "mars-1"), "--region"),
        (("--archive-class", "ATTIC"), "--archive-class"),
        (("--retention-days", "20"), "--archive-after-days"),
        (("--archive-class", "STANDARD_IA", "--archive-after-days", "5"), "--archive-after-days"),
        (("--calls", "none"), "--calls"),
        (("--plot", "/nowhere/at/all.svg"), "--plot"),
    ],
)
def test_what_cannot_be_reckoned_is_said(words: tuple[str, ...], said: str) -> None:
    done = run(*words)
    assert done.exit_code == 2
    assert said in done.stderr


def test_the_command_takes_a_stacks_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = world(tmp_path, monkeypatch)
    made.config |= {"archiveAfterDays": "7", "audioBitrate": "64"}
    done = made.run(cost, "--stack", "unit", "--archive-class", "GLACIER", "--region", "us-west-2", "--json")
    assert done.code == 0, done.told
    assert (done.document["keeping"]["archive_after"], done.document["keeping"]["archive_class"]) == (7, "GLACIER")
    assert done.document["load"]["bitrate"] == 64


def test_the_picture_is_the_same_every_time_and_holds_no_script(tmp_path: Path) -> None:
    found = months(12, LOAD, KEEPING, PRICES)
    first, second = plot.picture(found, "a title"), plot.picture(found, "a title")
    assert first == second
    assert first.startswith("<svg")
    assert "<script" not in first
    assert "a title" in first
    assert plot.picture(found[:11], "a title") != first
    assert {name for group in plot.GROUPS.values() for name in group} == set(SERVICES)
