"""The REST API: what programs may do, under /api/v1/, with keys that owners make.

Guarantees: every answer that is no success has one shape (`problems`, RFC 9457); a POST with an Idempotency-Key has its
effect once; cookies are not looked at; what a key may do never exceeds what its owner may. Views parse, permit, call
one action and answer, as the console's do.
"""
