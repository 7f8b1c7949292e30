"""Make, change, choose and delete layouts. A layout that cannot be compiled is not saved."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from envoi.accounts.actions import audit
from envoi.accounts.models import User
from envoi.content.compile.compiler import problems_of_layout
from envoi.content.events import LayoutChanged
from envoi.content.models import Layout
from envoi.content.problems import ContentError
from envoi.core import clock
from envoi.core.events import announce


class LayoutInUse(ValueError):
    """The layout is the default or belongs to an e-mail."""


class NameTaken(ValueError):
    """Another layout has this name."""


def create(*, name: str, html: str, text: str = "", actor: User | None) -> Layout:
    """A new layout.

    Raises:
        ContentError: it cannot be compiled.
        NameTaken: another layout has this name.
    """
    return _saved(Layout(), "layout_create", name=name, html=html, text=text, actor=actor)


def change(layout: Layout, *, name: str, html: str, text: str, actor: User | None) -> Layout:
    """Change what a layout says; e-mails that wait get it, those that started keep what they had.

    Raises: as `create`.
    """
    return _saved(layout, "layout_change", name=name, html=html, text=text, actor=actor)


def copy(layout: Layout, *, actor: User | None) -> Layout:
    """A new layout that says the same, under a free name."""
    taken = set(Layout.objects.values_list("name", flat=True))
    numbers = (number for number in range(2, len(taken) + 3))
    stem = layout.name[:140]
    name = next(name for number in numbers if (name := f"{stem} {number}") not in taken)
    return create(name=name, html=layout.html, text=layout.text, actor=actor)


def make_default(layout: Layout, *, actor: User | None) -> None:
    """New e-mails get this layout from now on."""
    with transaction.atomic():
        Layout.objects.filter(is_default=True).exclude(pk=layout.pk).update(is_default=False)
        Layout.objects.filter(pk=layout.pk).update(is_default=True)
        layout.is_default = True
        audit.record(actor, "layout_make_default", layout)


def delete(layout: Layout, *, actor: User | None) -> None:
    """Delete a layout that nothing uses.

    Raises:
        LayoutInUse: it is the default, or an e-mail has it.
    """
    if layout.is_default:
        raise LayoutInUse(_("This is the default layout. Make another one the default first."))
    try:
        with transaction.atomic():
            audit.record(actor, "layout_delete", layout)
            layout.delete()
    except ProtectedError as error:
        number = len(error.protected_objects)
        raise LayoutInUse(
            ngettext(
                "This layout is used by %(number)s e-mail and stays because of it.",
                "This layout is used by %(number)s e-mails and stays because of them.",
                number,
            )
            % {"number": number}
        ) from error


def _saved(layout: Layout, verb: str, *, name: str, html: str, text: str, actor: User | None) -> Layout:
    problems = problems_of_layout(html, text)
    if problems:
        raise ContentError(problems)
    layout.name, layout.html, layout.text, layout.changed_at = name, html, text, clock.now()
    try:
        with transaction.atomic():
            layout.save()
            audit.record(actor, verb, layout)
            announce(LayoutChanged(layout.pk))
    except IntegrityError as error:
        raise NameTaken(_("Another layout has this name.")) from error
    return layout
