"""Tables of notices: what is said, to whom it was fixed, what each person did, and what changed when."""

from envoi.notices.models.changes import Change
from envoi.notices.models.notices import Level, Notice, NoticeRecipient, Reading

__all__ = ["Change", "Level", "Notice", "NoticeRecipient", "Reading"]
