"""What is asked of the ledger; the only place of delivery with SQL of a dialect."""

from envoi.delivery.queries.audience import AudienceCount, freeze, preview
from envoi.delivery.queries.progress import Progress, log, progress
from envoi.delivery.queries.tallies import recount, skipped

__all__ = ["AudienceCount", "Progress", "freeze", "log", "preview", "progress", "recount", "skipped"]
