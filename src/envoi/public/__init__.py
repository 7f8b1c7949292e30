"""The pages and addresses that readers of messages meet: pixel, links, web view, unsubscribing.

No page here knows a session or sets a cookie; who may do what is in the signed token of the address. GET and HEAD
change nothing (a pixel or link that is fetched is noted; that is all).
"""
