"""What may be done to a broadcast: write it (`draft`), try it (`test_message`), start it (`send`), `steer` it."""
