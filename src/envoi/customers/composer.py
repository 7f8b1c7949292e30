"""The e-mail with the link: one message to one person, carried by the same ledger as everything else."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from django.utils import translation
from django.utils.translation import gettext as _

from envoi.content import bulk_headers, merge_tags
from envoi.content.bulk_headers import Bulk
from envoi.content.compile import ContentError, Source, compile_email
from envoi.content.headers import HeaderError
from envoi.customers import tokens
from envoi.customers.models import SignIn
from envoi.delivery import return_path
from envoi.delivery.composers import Leased, Message, RenderProblem
from envoi.delivery.models import Mailing

COMPOSER = "customer_sign_in"
REFERENCE = "sign-in:"


class SignInComposer:
    """Opens the sign-in that the mailing's reference names."""

    def open(self, mailing: Mailing) -> Writer:
        number = int(mailing.reference.removeprefix(REFERENCE))
        return Writer(mailing, SignIn.objects.filter(pk=number).first())


class Writer:
    """Writes the one message; one that would come too late is not sent."""

    def __init__(self, mailing: Mailing, sign_in: SignIn | None) -> None:
        self._mailing, self._sign_in, self._identity = mailing, sign_in, mailing.identity

    def load(self, batch: Sequence[Leased], /) -> Sequence[SignIn | None]:
        return [self._sign_in] * len(batch)

    def write(self, row: Leased, sign_in: SignIn | None, /) -> Message | RenderProblem:
        if sign_in is None or sign_in.is_too_old:
            return RenderProblem("the link in it is no longer good")
        sender = self._identity
        headers = bulk_headers.shared(
            Bulk(sender.from_name, sender.from_address, sender.reply_to, marketing=False)
        ) + bulk_headers.personal(
            to_name="",
            to_address=row.address,
            message_id=self._mailing.message_id(row.key).strip("<>"),
            date=row.first_attempt_at,
        )
        try:
            skeleton = compile_email(_source(sign_in), link_for=lambda _position, _url, _label: None)
            data = skeleton.message(merge_tags.person(None, address=row.address), {}, headers)
        except (ContentError, HeaderError) as error:
            return RenderProblem(str(error))
        return Message(return_path.make(row.id, sender.from_address.rpartition("@")[2]), data)


def _source(sign_in: SignIn) -> Source:
    with translation.override(sign_in.language):
        body = (
            f"<p>{escape(_('You asked for a link to sign in. Here it is:'))}</p>"
            f'<p><a href="{tokens.link(sign_in.pk)}">{escape(_("Sign in"))}</a></p>'
            f"<p>{escape(_('It works once, within 20 minutes.'))} "
            f"{escape(_('If you did not ask for it, do nothing: without this message nobody gets in.'))}</p>"
        )
        return Source(subject=_("Your link to sign in"), body=body, language=sign_in.language)
