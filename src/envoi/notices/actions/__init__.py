"""What may be done: by the operator (`publish` and its fellows), by a reader (`see` and its fellows)."""

from envoi.notices.actions.operate import (
    NoticeOver,
    NoticeRefused,
    Wording,
    change,
    end_now,
    fix_audience,
    publish,
    undo_dismissal,
    withdraw,
    wording_problems,
)
from envoi.notices.actions.read import acknowledge, click, dismiss, see

__all__ = [
    "NoticeOver",
    "NoticeRefused",
    "Wording",
    "acknowledge",
    "change",
    "click",
    "dismiss",
    "end_now",
    "fix_audience",
    "publish",
    "see",
    "undo_dismissal",
    "withdraw",
    "wording_problems",
]
