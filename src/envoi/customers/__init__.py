"""Customers at Envoi's own page: how they come in without a password, and what they decide there.

Guarantees: a link works once and for 20 minutes, and only when it is confirmed by POST, so that a program which
follows links cannot use it up; nobody learns whether an address is known; what is needed to come in is nowhere stored.
"""
