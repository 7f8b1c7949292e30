"""What is asked of the ledger; the only place of delivery with SQL of a dialect."""

from envoi.delivery.queries.audience import AudienceCount, freeze, preview

__all__ = ["AudienceCount", "freeze", "preview"]
