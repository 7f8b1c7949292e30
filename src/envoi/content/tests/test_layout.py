"""Layouts: one is there from the start, and none that cannot be compiled is ever saved."""

from __future__ import annotations

import pytest

from envoi.accounts.models import AuditEntry, User
from envoi.content import default_layout, queries
from envoi.content.actions import layout as actions
from envoi.content.models import Layout
from envoi.content.problems import ContentError
from envoi.content.tests.factories import SPECIALS, compiled, person

HTML = "<p>top</p>{{ content }}"

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada@example.org")


def test_an_installation_begins_with_a_default_layout() -> None:
    layout = queries.default_layout()

    assert layout is not None
    assert (layout.name, layout.is_default) == ("Envoi", True)
    assert layout.html == default_layout.html()


def test_the_default_layout_says_who_writes_and_how_to_leave() -> None:
    skeleton = compiled(
        "<h1>Hi</h1>", layout_html=default_layout.html(), layout_text=default_layout.text(), opt_out_required=True
    )
    rendered = skeleton.render(person(), SPECIALS)

    assert rendered.html.count("1 High Street") == 1
    assert rendered.html.count("https://mail.example.org/u/token") == 1
    assert 'role="presentation"' in rendered.html
    assert "prefers-color-scheme: dark" in rendered.html
    assert rendered.text.startswith("Hi\n")
    assert "Unsubscribe: https://mail.example.org/u/token?a=1&b=2" in rendered.text


def test_ada_makes_and_changes_a_layout_and_it_is_written_down(ada: User) -> None:
    layout = actions.create(name="Plain", html=HTML, actor=ada)
    actions.change(layout, name="Plainer", html=HTML, text="{{ content }}\n-- \nbye", actor=ada)

    layout.refresh_from_db()
    assert (layout.name, layout.text, layout.is_default) == ("Plainer", "{{ content }}\n-- \nbye", False)
    assert list(AuditEntry.objects.order_by("id").values_list("verb", "actor_label")) == [
        ("layout_create", "ada@example.org"),
        ("layout_change", "ada@example.org"),
    ]


def test_a_layout_with_a_fault_is_not_saved(ada: User) -> None:
    layout = actions.create(name="Plain", html=HTML, actor=ada)

    with pytest.raises(ContentError) as caught:
        actions.change(layout, name="Broken", html="<p>\n{% if %}</p>", text="", actor=ada)

    layout.refresh_from_db()
    assert [problem.line for problem in caught.value.problems] == [2]
    assert (layout.name, layout.html) == ("Plain", HTML)
    assert AuditEntry.objects.count() == 1


def test_two_layouts_cannot_have_one_name(ada: User) -> None:
    with pytest.raises(actions.NameTaken):
        actions.create(name="Envoi", html=HTML, actor=ada)

    assert Layout.objects.count() == 1


def test_there_is_one_default_and_it_stays(ada: User) -> None:
    mine = actions.create(name="Mine", html=HTML, actor=ada)
    actions.make_default(mine, actor=ada)

    assert list(Layout.objects.filter(is_default=True)) == [mine]
    with pytest.raises(actions.LayoutInUse):
        actions.delete(mine, actor=ada)
    actions.delete(Layout.objects.get(name="Envoi"), actor=ada)
    assert list(Layout.objects.all()) == [mine]


def test_a_copy_gets_a_free_name(ada: User) -> None:
    first = queries.default_layout()
    assert first is not None

    names = [actions.copy(first, actor=ada).name for _ in range(2)]

    assert names == ["Envoi 2", "Envoi 3"]
