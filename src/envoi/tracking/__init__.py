"""What readers did: opens, clicks, web view, unsubscribing; and which of it machines did in their place.

Public beside actions, queries, models and events: `links.py` (the addresses in a message), `spool.py` (where hits wait
for the database), `targets.py` (where a tracked link leads), `automated.py` (machine or person) and `origins.py`,
through which the composers above say what a message looks like in a browser and which lists it was for.
"""
