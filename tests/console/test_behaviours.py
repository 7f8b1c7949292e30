"""What the bundle gives to a page, in a real browser under the product's own content security policy."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser import Visit

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("tests.console.workbench"),
]

SignedIn = Callable[..., Visit]


@pytest.fixture
def bench(signed_in: SignedIn) -> Visit:
    visit = signed_in()
    visit.open("/bench/")
    return visit


def posted(page: Page) -> str:
    return page.locator("#posted").inner_text()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_behaviours_together_break_neither_the_policy_nor_accessibility(signed_in: SignedIn, theme: str) -> None:
    visit = signed_in(theme=theme)
    page = visit.open("/bench/")
    expect(page.locator(".tiptap")).to_be_visible()
    expect(page.locator(".cm-content")).to_be_visible()
    expect(page.locator(".ts-control")).to_be_visible()
    assert page.locator("canvas").evaluate("canvas => canvas.width") > 300
    visit.assert_accessible()


def test_rich_text_is_written_formatted_and_sent(bench: Visit) -> None:
    page = bench.page
    editor = page.get_by_role("textbox", name="Content")
    editor.click()
    page.keyboard.press("Control+End")
    page.keyboard.type(" and hello ")
    page.get_by_role("button", name="First name").click()
    bold = page.get_by_role("button", name="Bold")
    bold.click()
    expect(bold).to_have_attribute("aria-pressed", "true")
    expect(editor).to_be_focused()
    page.keyboard.type("!")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#posted")).to_contain_text(
        "<p>Dear {{ name }} and hello {{ contact.first_name }}<strong>!</strong></p>|"
    )


def test_the_toolbar_is_one_tab_stop_with_arrows_inside(bench: Visit) -> None:
    page = bench.page
    page.get_by_role("button", name="Bold").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("button", name="Italic")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("button", name="Undo")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("textbox", name="Content")).to_be_focused()


def test_code_is_edited_and_tab_leaves_the_editor(bench: Visit) -> None:
    page = bench.page
    page.get_by_role("textbox", name="Source").click()
    page.keyboard.press("Control+End")
    page.keyboard.type("<i")
    page.keyboard.press("Tab")
    expect(page.get_by_role("textbox", name="Source")).not_to_be_focused()
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#posted")).to_contain_text('<b class="x">1</b><i')


def test_targets_are_found_by_typing_and_their_names_are_text(bench: Visit) -> None:
    page = bench.page
    page.get_by_role("combobox", name="Target").click()
    page.keyboard.type("bob")
    option = page.get_by_role("option", name="Bob <script>")
    expect(option).to_contain_text("bob@example.org")
    expect(page.locator(".option.active")).to_contain_text("Bob <script>")
    page.keyboard.press("Enter")
    expect(page.locator(".ts-control .item")).to_have_count(2)
    page.keyboard.type("zzz")
    expect(page.get_by_text("Nothing found")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#posted")).to_contain_text("|1|2")


def test_a_field_shows_only_when_it_matters(bench: Visit) -> None:
    page = bench.page
    expect(page.locator("#colour")).to_be_hidden()
    page.get_by_label("Kind").select_option("notice")
    expect(page.locator("#colour")).to_be_visible()


def test_a_dialog_goes_through_its_steps_and_ends_on_a_page(bench: Visit) -> None:
    page = bench.page
    page.get_by_role("link", name="Add").click()
    dialog = page.get_by_role("dialog", name="Step 1")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_label("Subject")).to_be_focused()
    bench.assert_accessible()
    dialog.get_by_role("button", name="Next Step").click()
    expect(dialog.locator("#told")).to_have_text("Write a subject.")
    expect(dialog.get_by_label("Subject")).to_be_focused()
    page.keyboard.type("Hello")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Step 2")
    expect(dialog).to_be_visible()
    assert page.url.endswith("/bench/")
    dialog.get_by_label("Subject").fill("Bye")
    dialog.get_by_role("button", name="Next Step").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.url.endswith("/bench/")
    bench.allow("422")


def test_escape_closes_a_dialog_and_focus_returns(bench: Visit) -> None:
    page = bench.page
    link = page.get_by_role("link", name="Add")
    link.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(link).to_be_focused()


def test_without_script_a_dialog_is_a_page(bench: Visit) -> None:
    answer = bench.page.request.get(f"{bench.url}/bench/step/1/")
    assert "shell-sidebar" in answer.text()
    inside = bench.page.request.get(f"{bench.url}/bench/step/1/", headers={"X-Modal": "1"})
    assert "shell-sidebar" not in inside.text()
    assert "data-modal-frame" in inside.text()


def test_a_script_in_what_htmx_brings_does_not_run(bench: Visit) -> None:
    page = bench.page
    page.get_by_role("button", name="Load").click()
    expect(page.get_by_text("Arrived by htmx")).to_be_visible()
    assert page.evaluate("document.body.dataset.broken") is None
    bench.allow("Content Security Policy")


def test_a_page_that_fails_says_so_in_the_frame_and_the_cause_is_logged(
    bench: Visit, caplog: pytest.LogCaptureFixture
) -> None:
    page = bench.open("/bench/failure/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Something went wrong")
    assert "as the test wants it" not in page.content()
    assert "as the test wants it" in caplog.text
    bench.assert_accessible()
    bench.allow("500")
