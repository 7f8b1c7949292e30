"""A shift: a worker sends for one mailing for a bounded time, then hands over.

`decisions.py` says what an answer means for the recipient, `line.py` is the thread that talks to the server,
`shift.py` leads, `work.py` begins and ends.
"""
