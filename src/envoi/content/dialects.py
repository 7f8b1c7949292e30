"""Placeholders of other products, translated to Liquid so that templates brought along work.

Read from the descriptions of Ultimate Multisite (`{{customer_name}}`), EspoCRM (`{Person.firstName}`, `{optOutUrl}`)
and Mautic (`{contactfield=firstname|friend}`, `{unsubscribe_url}`). Line breaks stay where they are.
"""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import unquote

_FIELDS = {
    "email": "email",
    "emailaddress": "email",
    "firstname": "first_name",
    "lastname": "last_name",
    "name": "name",
    "company": "organisation",
    "accountname": "organisation",
    "phone": "phone",
    "phonenumber": "phone",
    "mobile": "phone",
    "city": "city",
    "addresscity": "city",
    "country": "country",
    "addresscountry": "country",
    "preferredlocale": "language",
    "preferred_locale": "language",
}
_CUSTOMER = {
    "customer_name": "contact.name",
    "customer_user_email": "contact.email",
    "customer_email": "contact.email",
    "customer_id": "contact.reference",
    "site_name": "organisation.name",
    "site_url": "organisation.website",
    "network_name": "organisation.name",
}
_SIMPLE = {
    "unsubscribe_url": "{{ unsubscribe_url }}",
    "dnc_url": "{{ unsubscribe_url }}",
    "optouturl": "{{ unsubscribe_url }}",
    "webview_url": "{{ webview_url }}",
    "unsubscribe_text": "{{ unsubscribe_text }}",
    "optoutlink": "{{ unsubscribe_text }}",
    "webview_text": "{{ webview_text }}",
    "subject": "{{ broadcast.subject }}",
    "tracking_pixel": "",
    "today": '{{ "now" | date: "%Y-%m-%d" }}',
    "now": '{{ "now" | date: "%Y-%m-%d %H:%M" }}',
    "currentyear": '{{ "now" | date: "%Y" }}',
}

_ENCODED = re.compile(r"%7B(?:%7B)?[^\s\"'<>{}]{1,200}?%7D(?:%7D)?", re.IGNORECASE)
_MAUTIC = re.compile(r"(?<!\{)\{(?:contact|lead)field=([A-Za-z0-9_]{1,60})(?:\|([^{}\n]{0,100}))?\}(?!\})")
_ESPO = re.compile(r"(?<!\{)\{(?:Person|Contact|Lead|User|Account)\.([A-Za-z0-9]{1,60})\}(?!\})")
_WORD = re.compile(rf"(?<!\{{)\{{({'|'.join(_SIMPLE)})\}}(?!\}})", re.IGNORECASE)
_DOUBLE = re.compile(rf"\{{\{{\s*({'|'.join(_CUSTOMER)})\s*\}}\}}")
_LIQUID = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)


def translated(source: str, *, html: bool) -> str:
    """`source` in Liquid alone. In HTML, what an editor escaped inside a tag (`&quot;`, `%7B`) is put right."""
    if html:
        source = _ENCODED.sub(lambda found: unquote(found.group()), source)
        source = _LIQUID.sub(lambda found: unescape(found.group()).replace("\xa0", " "), source)
    source = _MAUTIC.sub(lambda found: _contact(found.group(1), found.group(2)), source)
    source = _ESPO.sub(lambda found: _contact(found.group(1), None), source)
    source = _WORD.sub(lambda found: _SIMPLE[found.group(1).lower()], source)
    return _DOUBLE.sub(lambda found: f"{{{{ {_CUSTOMER[found.group(1)]} }}}}", source)


def _contact(name: str, default: str | None) -> str:
    known = _FIELDS.get(name.lower())
    path = f"contact.{known}" if known else f"contact.fields.{name}"
    if default == "true":
        return f"{{{{ {path} | url_encode }}}}"
    if default:
        return f'{{{{ {path} | default: "{default.replace(chr(34), chr(39))}" }}}}'
    return f"{{{{ {path} }}}}"
