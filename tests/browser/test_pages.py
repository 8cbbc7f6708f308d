"""What a person sees instead of a recording: on a phone, by day and by night, and with a screen reader."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route

from infra.functions.pages import NAMES, page
from scripts.recordings import conversations
from tests.pipeline.conftest import Local
from tests.pipeline.surgery import DAY, Surgery, surgery_of

pytestmark = pytest.mark.browser

#: The narrowest screen on which WCAG 2.2, 1.4.10 wants no scrolling sideways.
WIDTH, HEIGHT = 320, 568
SMALLEST_TEXT = 16.0


@pytest.fixture(params=["light", "dark"])
def phone(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    scheme: Literal["light", "dark"] = request.param
    context = browser.new_context(
        viewport={"width": WIDTH, "height": HEIGHT},
        is_mobile=True,
        has_touch=True,
        device_scale_factor=2,
        color_scheme=scheme,
        ignore_https_errors=True,
    )
    yield context.new_page()
    context.close()


def expired(local: Local) -> Surgery:
    return surgery_of(local, "EG_expired", lifetime_s=1)


def revoked(local: Local) -> Surgery:
    made = surgery_of(local, "EG_revoked", lifetime_s=DAY)
    made.told("revoke", made.egress)
    return made


def archived(local: Local) -> Surgery:
    return surgery_of(local, "EG_archived", lifetime_s=DAY, storage_class="DEEP_ARCHIVE")


def erased(local: Local) -> Surgery:
    made = surgery_of(local, "EG_erased", lifetime_s=DAY)
    s3, bucket = local.deployment.aws.client("s3"), local.deployment.outputs.bucket
    s3.put_object(Bucket=bucket, Key=f"erasures/{made.egress}.json", Body=b"{}")
    s3.delete_object(Bucket=bucket, Key=made.key, VersionId=made.version)
    return made


REASONS = {"expired": expired, "revoked": revoked, "archived": archived, "erased": erased}


@pytest.fixture(scope="module")
def links(local: Local) -> dict[str, str]:
    """A link of the local stack for each reason not to play."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conversations, "INTERVAL_SECONDS", 0.25)
        return {name: arrange(local).link for name, arrange in REASONS.items()}


def assert_readable(phone: Page) -> None:
    """Seen whole without scrolling sideways, large enough, and nothing that axe objects to."""
    heading, texts = phone.locator("main h1"), phone.locator("main p")
    assert heading.is_visible()
    assert texts.count() >= 1
    for text in texts.all():
        box = text.bounding_box()
        assert text.is_visible()
        assert box is not None
        assert 0 <= box["x"] <= box["x"] + box["width"] <= WIDTH
    assert phone.evaluate("() => document.documentElement.scrollWidth") <= WIDTH
    assert texts.first.evaluate("text => parseFloat(getComputedStyle(text).fontSize)") >= SMALLEST_TEXT
    found = Axe().run(phone)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("name", REASONS)
def test_a_link_that_does_not_play_says_why(phone: Page, links: dict[str, str], name: str) -> None:
    answer = phone.goto(links[name])
    assert answer is not None
    assert answer.status == page(name)["statusCode"]
    assert answer.text() == page(name)["body"]
    assert_readable(phone)


@pytest.mark.parametrize("name", NAMES)
def test_every_page_is_readable_under_its_own_rules(phone: Page, name: str) -> None:
    """Its style is the one that its Content-Security-Policy allows: a browser complains of any other."""
    complaints: list[str] = []
    phone.on("console", lambda message: complaints.append(message.text))
    wanted = page(name)

    def fulfil(route: Route) -> None:
        route.fulfill(status=wanted["statusCode"], headers=wanted["headers"], body=wanted["body"])

    phone.route("https://play.test/**", fulfil)
    phone.goto("https://play.test/r/token")
    assert_readable(phone)
    dark = phone.evaluate("() => matchMedia('(prefers-color-scheme: dark)').matches")
    shade = phone.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert shade == ("rgb(22, 22, 22)" if dark else "rgb(255, 255, 255)")
    assert not [text for text in complaints if "Content Security Policy" in text]
