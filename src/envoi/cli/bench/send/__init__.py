"""`envoi bench send`: a whole broadcast beside Postfix's own `smtp-source`; its parts serve other benches, too."""
