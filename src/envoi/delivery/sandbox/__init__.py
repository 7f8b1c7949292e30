"""The sandbox mailbox: a real SMTP server on loopback that keeps what it gets and sends nothing on.

A newcomer's broadcasts go here until a relay is set up, over the same SMTP client, so what is seen here is what a relay
would get. Public to the other domains: `server.run`, `server.PORT_FILE`, `store.mailbox`, `tricks.TRICKS`.
"""
