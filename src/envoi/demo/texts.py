"""What the demo organisation writes to its customers."""

ORGANISATION = "Lantern Sites"
POSTAL_ADDRESS = "Lantern Sites, 12 Quay Street, Bristol BS1 4DJ, United Kingdom"
FROM_NAME = "Lantern Sites"
FROM_ADDRESS = "hello@lantern-sites.example"

PRODUCTS = (
    ("Starter", "plan", "One website and our address on it."),
    ("Pro", "plan", "Five websites, an own domain name, daily backups."),
    ("Business", "plan", "Twenty websites, several people at work, help by telephone."),
    ("Shop", "add_on", "Sell from a website: basket, payment, invoices."),
    ("Mailboxes", "add_on", "Mailboxes at the own domain name."),
)

LISTS = (
    ("Newsletter", "newsletter", "What is new, once a month."),
    ("Beta testers", "beta-testers", "People who try new things before everybody else."),
    ("Événements", "evenements", "Rencontres et ateliers, en français."),
)

NEWSLETTER_SUBJECT = "Your website got faster this month"
NEWSLETTER_PREHEADER = "New servers, a new editor and an invitation"
NEWSLETTER_BODY = """\
<h1>Faster, and easier to write on</h1>
<p>Hello {{ contact.first_name | default: "there" }},</p>
<p>In October we moved every website to new machines. Pages now come up in about half the time. There is nothing you
need to do, and nothing costs more.</p>
<p><a href="https://lantern-sites.example/news/new-servers">See how fast your own website is</a></p>
<h2>The new editor is here</h2>
<p>You write on the page itself, see at once what your visitors will see, and undo whatever you like.
<a href="https://lantern-sites.example/help/editor">Two minutes tell you all</a>, or
<a href="https://lantern-sites.example/help/editor/keyboard">read about its keyboard shortcuts</a>.</p>
<h2>Come and see us</h2>
<p>On Thursday 3 December our door is open. Bring a question, leave with an answer and a slice of cake.
<a href="https://lantern-sites.example/events/open-door?name={{ contact.first_name }}">Tell us that you
are coming</a>.</p>
<p>Warm regards,<br>Imogen and everybody at Lantern Sites</p>
"""

DRAFT_SUBJECT = "Your websites rest for 20 minutes on Sunday at 6:00"
DRAFT_PREHEADER = "Maintenance on Sunday 29 November, 6:00 to 6:20 UTC"
DRAFT_BODY = """\
<p>Hello {{ contact.first_name | default: "there" }},</p>
<p>On <strong>Sunday 29 November from 6:00 to 6:20 UTC</strong> we renew the machine that holds your websites. During
these twenty minutes your visitors see a friendly page that asks them to come back soon.</p>
<ul>
<li>Nothing is lost, and you need to do nothing.</li>
<li>E-mail goes on arriving.</li>
<li>Afterwards everything is as it was, only on a newer machine.</li>
</ul>
<p><a href="https://status.lantern-sites.example/2026-11-29">See how far we are, minute by minute</a></p>
<p>Imogen, Lantern Sites</p>
"""

MESSAGE_SUBJECT = "Statistics of your visitors are part of Pro now"
MESSAGE_BODY = """\
<p>See how many people visited, from where, and what they read. It counts without cookies, so you need no banner.
Nothing has to be switched on.</p>
"""
MESSAGE_BUTTON = "Look at mine", "https://lantern-sites.example/help/statistics"
