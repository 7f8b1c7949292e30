"""The merge tags that an e-mail may use: one list for the compiler, the editor's menu and the documentation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext

from envoi.contacts.models import Contact


@dataclass(frozen=True, slots=True)
class MergeTag:
    """One merge tag: what to write (`tag`), its name for people and an example value."""

    path: str
    label: str
    example: str
    group: str

    @property
    def tag(self) -> str:
        """As it is written in a template."""
        return f"{{{{ {self.path} }}}}"


_CONTACT = (
    ("email", _("E-mail address"), "ada@example.org"),
    ("first_name", _("First name"), "Ada"),
    ("last_name", _("Last name"), "Lovelace"),
    ("name", _("Full name"), "Ada Lovelace"),
    ("organisation", _("Organisation"), "Analytical Engines"),
    ("phone", _("Telephone"), "+44 20 7946 0000"),
    ("city", _("City"), "London"),
    ("country", _("Country"), "GB"),
    ("language", _("Language"), "en"),
    ("kind", _("Kind"), "contact"),
    ("reference", _("Reference"), "C-1815"),
)
_ORGANISATION = (
    ("name", _("Name of your organisation"), "Example Ltd"),
    ("address", _("Postal address"), "1 High Street, London"),
    ("website", _("Website"), "https://example.org"),
)
_LINKS = (
    ("unsubscribe_url", _("Address of the unsubscribe page"), "https://example.org/u/…"),
    ("webview_url", _("Address of the web version"), "https://example.org/w/…"),
)
SPECIALS = frozenset({"unsubscribe_url", "webview_url", "open_url"})
CONTACT_NAMES = frozenset({name for name, _label, _example in _CONTACT} | {"address", "fields", "id"})
ORGANISATION_NAMES = frozenset(name for name, _label, _example in _ORGANISATION)
BROADCAST_NAMES = frozenset({"subject", "preheader"})


def catalogue(fields: Iterable[tuple[str, str]] = ()) -> list[MergeTag]:
    """Every merge tag, in the order of the menu; `fields` are key and label of the installation's further fields."""
    contact, links = str(_("Contact")), str(_("Links"))
    return [
        *(MergeTag(f"contact.{name}", str(label), example, contact) for name, label, example in _CONTACT),
        *(MergeTag(f"contact.fields.{key}", label, "", contact) for key, label in fields),
        *(
            MergeTag(f"organisation.{name}", str(label), example, str(_("Organisation")))
            for name, label, example in _ORGANISATION
        ),
        MergeTag("broadcast.subject", str(_("Subject")), "", pgettext("merge tags", "Message")),
        *(MergeTag(name, str(label), example, links) for name, label, example in _LINKS),
    ]


def person(
    contact: Contact | None,
    *,
    address: str = "",
    organisation: Mapping[str, str] | None = None,
    broadcast: Mapping[str, str] | None = None,
) -> dict[str, object]:
    """The data that a message to `contact` is rendered from; `address` is the one it goes to.

    A contact that is gone in the meantime gives a person with an address and nothing else.
    """
    values: dict[str, object] = {"email": address or (contact.address if contact else "")}
    values["address"] = values["email"]
    if contact is not None:
        values |= {
            "id": contact.pk,
            "first_name": contact.first_name,
            "last_name": contact.last_name,
            "name": contact.name,
            "organisation": contact.organisation,
            "phone": contact.phone,
            "city": contact.city,
            "country": contact.country,
            "language": contact.language,
            "kind": contact.kind,
            "reference": contact.reference,
            "fields": contact.fields,
        }
    return {"contact": values, "organisation": dict(organisation or {}), "broadcast": dict(broadcast or {})}


def unknown_part(path: list[str], fields: frozenset[str] | None) -> frozenset[str] | None:
    """The known paths when `path` names no merge tag, else None.

    Args:
        path: its segments, such as ["contact", "first_name"].
        fields: keys of the further fields; None when any is fine.
    """
    root, rest = path[0], path[1:]
    if root in SPECIALS:
        return None
    names = {"contact": CONTACT_NAMES, "organisation": ORGANISATION_NAMES, "broadcast": BROADCAST_NAMES}
    if root in names and (not rest or rest[0] in names[root]):
        is_field = root == "contact" and rest[:1] == ["fields"] and len(rest) > 1
        return _known(fields) if is_field and fields is not None and rest[1] not in fields else None
    return _known(fields)


def _known(fields: frozenset[str] | None) -> frozenset[str]:
    return frozenset(tag.path for tag in catalogue((key, key) for key in fields or ()))
