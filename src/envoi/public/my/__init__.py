"""Envoi's own customer page: notices, past messages, products, preferences.

The only pages here that set a cookie: a signed number of the visit (`customers`), sent to these addresses alone.
Everything works without scripts; with them, notices come and go by themselves.
"""
