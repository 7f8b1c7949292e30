"""Messages on the customers' dashboards: what is shown to whom, and what each person did with it.

Guarantees: who sees a notice is decided at the moment it is shown, unless its audience was fixed; a person who
dismissed it does not see it again; everything that may alter anybody's view alters the stamp (`queries.stamps`).
Whom a dashboard speaks for, `identity` decides.
"""
