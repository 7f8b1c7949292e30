"""Whom a refusal concerns: the recipient (or this one message), or the sender.

One table, first match counts; before it, what says that a receiver asks for less (`too_fast.py`). A sender-side refusal
pauses the transport and costs nobody the message; a wrong entry here either fails healthy addresses or stops a
broadcast for one bad address, so every row names its source.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from envoi.delivery.smtp.outcomes import Refused, Remedy, SenderRefused
from envoi.delivery.smtp.phases import Phase
from envoi.delivery.smtp.replies import Reply
from envoi.delivery.smtp.too_fast import asks_for_less


@dataclass(frozen=True, slots=True)
class Row:
    """A kind of refusal: all that is given must fit. `remedy` None means that it concerns the recipient or message."""

    remedy: Remedy | None
    source: str
    codes: frozenset[int] = frozenset()
    status: re.Pattern[str] | None = None
    text: re.Pattern[str] | None = None
    phases: frozenset[Phase] = frozenset()

    def fits(self, reply: Reply, phase: Phase) -> bool:
        return (
            (not self.codes or reply.code in self.codes)
            and (not self.phases or phase in self.phases)
            and (self.status is None or self.status.fullmatch(reply.status) is not None)
            and (self.text is None or self.text.search(reply.text) is not None)
        )


def _row(
    remedy: Remedy | None, source: str, *codes: int, status: str = "", text: str = "", phases: tuple[Phase, ...] = ()
) -> Row:
    return Row(
        remedy,
        source,
        frozenset(codes),
        re.compile(status) if status else None,
        re.compile(text, re.IGNORECASE) if text else None,
        frozenset(phases),
    )


_GREETING = (Phase.CONNECT, Phase.EHLO, Phase.TLS, Phase.AUTH)

TABLE: tuple[Row, ...] = (
    _row(Remedy.WAIT, "RFC 5321 §3.8: 421 closes the channel, whatever was asked", 421),
    _row(Remedy.PERSON, "RFC 4954 §4, §6: authentication required, too weak, refused, needs encryption", 530, 534, 538),
    _row(Remedy.PERSON, "RFC 4954 §6: 535 credentials invalid", 535),
    _row(Remedy.WAIT, "RFC 4954 §6, RFC 3207 §4: 454 temporary failure of sign-in or TLS", 454, phases=_GREETING),
    _row(Remedy.WAIT, "RFC 5321 §4.2.1: turned away at the door for now", *range(400, 500), phases=_GREETING),
    _row(Remedy.PERSON, "RFC 5321 §3.1: 554 at the greeting, 5yz to EHLO or AUTH", *range(500, 600), phases=_GREETING),
    # The message itself, whoever sends it.
    _row(None, "RFC 1870 §6.1, RFC 3463 §3.4: message too big", 552, status=r"5\.(3\.4|2\.3)|"),
    _row(None, "RFC 3463 §3.7: what the message holds cannot be carried", status=r"[45]\.6\.\d+"),
    # 5.7 and 4.7 codes that concern one recipient in spite of their class.
    _row(None, "Greylisting (RFC 6647 §5): come back later with the same envelope", *range(400, 500),
         text=r"gr[ea]y[- ]?list"),
    _row(None, "RFC 3463 §3.8: 5.7.2 list expansion; RFC 7293 §6: 5.7.17, 5.7.18 the address has a new owner",
         status=r"5\.7\.(2|17|18)"),
    _row(None, "Microsoft, non-delivery reports in Exchange Online: recipient takes mail from its own people only",
         status=r"5\.7\.(12[4-9]|13[0-6])"),
    _row(None, "Postfix access(5): a rule about this recipient", phases=(Phase.RCPT,), status=r"[45]\.7\.\d+",
         text=r"recipient address rejected|user unknown|no such user|mailbox (unavailable|disabled)"),
    # 5.7 and 4.7 codes that concern the sender.
    _row(Remedy.WAIT, "Gmail SMTP errors: 5.4.5 daily sending quota used up", status=r"[45]\.4\.5",
         text=r"limit|quota"),
    _row(Remedy.PERSON, "Gmail SMTP errors: 5.7.25–5.7.29 PTR, SPF/DKIM alignment, TLS; Yahoo and others alike",
         status=r"5\.7\.2[5-9]"),
    _row(Remedy.PERSON, "Microsoft, Outlook.com requirements for bulk senders: 5.7.515", status=r"5\.7\.515"),
    _row(Remedy.PERSON, "RFC 3463 §3.8, RFC 7372: security or policy of the server", status=r"5\.7\.\d+"),
    _row(Remedy.WAIT, "Gmail SMTP errors, RFC 3463 §3.8: too much, too fast, not trusted yet", status=r"4\.7\.\d+"),
    _row(Remedy.PERSON, "Relaying refused by servers without enhanced codes", *range(500, 600),
         text=r"relay(ing)? (access )?(is )?(denied|not permitted|not allowed|prohibited)"),
    # The state of the server.
    _row(Remedy.WAIT, "RFC 3463 §3.4: 4.3.1 system full, 4.3.2 not accepting messages", status=r"4\.3\.[12]"),
    _row(Remedy.PERSON, "RFC 3463 §3.2: 5.1.7, 5.1.8 the sender's own address", status=r"5\.1\.[78]"),
    # Whatever else is said to MAIL is about the return path or the account, the same for every recipient.
    _row(Remedy.WAIT, "RFC 5321 §4.3.2: MAIL refused for now", *range(400, 500), phases=(Phase.MAIL,)),
    _row(Remedy.PERSON, "RFC 5321 §4.3.2: MAIL refused", *range(500, 600), phases=(Phase.MAIL,)),
)  # fmt: skip


def judge(reply: Reply, phase: Phase) -> Refused | SenderRefused:
    """Whom the refusal `reply`, given in `phase`, concerns."""
    if asks_for_less(reply, phase):
        return Refused(reply, phase)
    for row in TABLE:
        if row.fits(reply, phase):
            return Refused(reply, phase) if row.remedy is None else SenderRefused(reply, phase, row.remedy)
    return Refused(reply, phase)
