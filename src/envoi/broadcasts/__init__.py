"""Broadcasts: written once, sent once to each member of an audience, over a channel.

Owns the drafts, what a started broadcast says (frozen), and the way from the one to the other. Guarantees that a
broadcast starts at most once, and never changes after it has started. Who was reached is the delivery ledger's to say,
what readers did is tracking's.
"""
