"""What tracking asks about the messages of broadcasts: the web view, where a link leads, which lists it was for."""

from __future__ import annotations

from collections.abc import Iterable

from envoi.audiences.models import AudienceMember
from envoi.broadcasts import composing
from envoi.broadcasts.models import FrozenContent
from envoi.broadcasts.senders import Sender
from envoi.content import liquid, merge_tags
from envoi.content.compile import ContentError
from envoi.delivery.models import Delivery, Mailing
from envoi.tracking import links
from envoi.tracking.origins import NothingToShow, WebView


class BroadcastOrigin:
    """Answers from what was frozen, with the contact as it is now."""

    def web_view(self, delivery: Delivery) -> WebView:
        frozen, sender = _frozen(delivery)
        skeleton = composing.compiled(composing.read_again(frozen.source))
        specials = {
            "unsubscribe_url": links.unsubscribe_url(delivery.pk),
            "webview_url": links.webview_url(delivery.pk),
        }
        try:
            rendered = skeleton.render(_person(delivery, sender), specials)
        except ContentError as error:
            raise NothingToShow(str(error)) from error
        return WebView(rendered.html, rendered.subject)

    def link_target(self, delivery: Delivery, url: str) -> str:
        _content, sender = _frozen(delivery)
        try:
            return liquid.fill_url(url, _person(delivery, sender))
        except ContentError as error:
            raise NothingToShow(str(error)) from error

    def lists(self, mailing: Mailing) -> Iterable[int]:
        included = AudienceMember.objects.filter(
            audience__in=FrozenContent.objects.filter(broadcast__mailing=mailing).values("broadcast__audience"),
            side=AudienceMember.Side.INCLUDE,
            list__isnull=False,
        )
        return included.values_list("list_id", flat=True)


def _frozen(delivery: Delivery) -> tuple[FrozenContent, Sender]:
    frozen = FrozenContent.objects.filter(broadcast__mailing=delivery.mailing_id).first()
    if frozen is None:
        raise NothingToShow("the broadcast of this message is gone")
    return frozen, Sender(**frozen.sender)


def _person(delivery: Delivery, sender: Sender) -> dict[str, object]:
    return merge_tags.person(delivery.contact, address=delivery.address, organisation=sender.organisation)
