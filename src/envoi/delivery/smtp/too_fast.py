"""Refusals by which a receiver says that mail comes too fast or in too many conversations.

They reach us through a relay after MAIL, about this one message: the recipient's provider asks for less, the sender as
such is not refused. Such a message is tried again, and the gate slows down towards that provider (`limits/slowing.py`).
"""

from __future__ import annotations

import re

from envoi.delivery.smtp.phases import Phase
from envoi.delivery.smtp.replies import Reply

# In the servers' own words: Yahoo “temporarily deferred due to unexpected volume”, Orange “too many connections, slow
# down”, Gmail “unusual rate of unsolicited mail”, Outlook “throttled”, Postfix “too much mail”, “rate limit exceeded”.
_WORDS = re.compile(
    r"rate[- ]?limit|\brate (of|that|at|has)\b|throttl|slow(ed|ing)? down|(unexpected|unusual) (rate|volume)"
    r"|too (much mail|many (connections|sessions|messages|mails|recipients|concurrent)|fast)"
    r"|(connection|session|message|hourly|daily)s? limit|\bTSS0\d",
    re.IGNORECASE,
)
# Gmail 4.7.0 and 4.7.28, Outlook.com 4.7.500–4.7.699: volume and reputation of the moment; RFC 3463 §3.6: 4.5.3 too
# many recipients; §3.4: 4.3.2 not accepting messages now, 4.4.5 congestion. With 421, 4.3.2 only ends the connection.
_STATUS = re.compile(r"4\.7\.(0|28|[56]\d\d)|4\.4\.5|4\.5\.3|4\.16\.55")
_NOT_ACCEPTING = "4.3.2"
# What sounds alike and asks for something else: patience with one envelope (RFC 6647), or a sender put right.
_OTHER = re.compile(
    r"gr[ea]y[- ]?list|client host rejected|lookup failed|reverse|\bPTR\b|\bSPF\b|\bDKIM\b|\bDMARC\b|authenticat"
    r"|STARTTLS|disk space",
    re.IGNORECASE,
)
# Of one mailbox: it gets too much just now (Gmail 4.2.1), is full, or is not there.
_ONE_MAILBOX = ("4.1.", "4.2.")


def asks_for_less(reply: Reply, phase: Phase) -> bool:
    """Whether a refusal given in `phase` is the receiver's word that it is too much for now."""
    if phase <= Phase.MAIL or not reply.transient:
        return False
    if reply.status.startswith(_ONE_MAILBOX) or _OTHER.search(reply.text):
        return False
    if reply.status == _NOT_ACCEPTING and reply.code != 421:
        return True
    return _STATUS.fullmatch(reply.status) is not None or _WORDS.search(reply.text) is not None
