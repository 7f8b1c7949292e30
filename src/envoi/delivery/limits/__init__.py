"""When, how fast and over which transport messages may leave.

`gate.py` stands before every window of a shift; `routes.py` says over which transport a turn goes. The others
are pure rules: they know neither the database nor the clock.
"""
