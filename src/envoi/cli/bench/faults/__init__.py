"""`envoi bench faults`: senders are killed again and again, and a witness outside Envoi counts what arrived."""
