"""The commands whose answers a connection waits for."""

from __future__ import annotations

from enum import Enum

from envoi.delivery.smtp.phases import Phase


class Step(Enum):
    """A command whose answer is awaited; its value is the phase that this wait belongs to."""

    RSET = (Phase.MAIL, "RSET")
    MAIL = (Phase.MAIL, "MAIL")
    RCPT = (Phase.RCPT, "RCPT")
    DATA = (Phase.DATA, "DATA")
    LONE_DOT = (Phase.DATA, "LONE DOT")
    DOT = (Phase.DOT_SENT, "DOT")
    QUIT = (Phase.ANSWERED, "QUIT")

    def __init__(self, phase: Phase, word: str) -> None:
        self.phase = phase
        self.word = word
