"""People and organisations, their addresses, what they agreed to, and how they come in and out as files.

Public beside actions, queries, models and events: the pure modules in `importing/` (reading CSV) and `values.py`.
"""
