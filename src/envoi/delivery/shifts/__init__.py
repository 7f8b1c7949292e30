"""A shift: a worker sends for one mailing for a bounded time, then hands over.

`line.py` is the thread that talks to the server, `batches.py` keeps count of what is in hand, `decisions.py` says what
an answer means for the recipient and `answers.py` for all in hand, `shift.py` leads, `work.py` begins and ends.
"""
