"""The addresses by which dashboards ask for notices and tell what was done with them, and the script for web pages.

Signed by the site (`notices.identity`); no cookie, no session, nothing of Django's middleware: an unchanged answer
costs a signature and no database.
"""
