"""Tables of notices: what is said, to whom it was fixed, what each person did, what changed when, and who may ask."""

from envoi.notices.models.changes import Change
from envoi.notices.models.notices import Level, Notice, NoticeRecipient, Reading
from envoi.notices.models.site_keys import SiteKey

__all__ = ["Change", "Level", "Notice", "NoticeRecipient", "Reading", "SiteKey"]
