"""`envoi bench notices`: what a customer's dashboard asks, in an organisation of any size."""
