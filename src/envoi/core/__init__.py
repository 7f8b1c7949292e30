"""Toolbox without business words: clock, keys, events, tasks, signed tokens, secrets, e-mail addresses, paging.

Owns no tables but the embedded task queue. Imports nothing else of Envoi.
"""
