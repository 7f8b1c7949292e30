"""What may be done to a broadcast: write it (`draft`), try it (`try_out`), start it (`send`), `steer` it."""
