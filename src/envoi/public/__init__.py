"""The pages and addresses that readers and customers meet: pixel, links, web view, unsubscribing; notices for
dashboards (`notices/`), and the customer page (`my/`).

No page here knows a session of the console. Who may do what is in the signed token of the address or the signature of
the request; the customer page alone has a cookie, its own. GET and HEAD change nothing (a pixel or link that is fetched
is noted; that is all).
"""
