"""DKIM (RFC 6376, Ed25519: RFC 8463): sign messages in the name of their From domain, and say what DNS must hold.

| module | holds |
|---|---|
| `canonical` | the relaxed form of headers and bodies |
| `signing` | from keys and a message to the message with its signatures |
| `keypairs` | make and read private keys |
| `records` | the DNS record of a key, and whether it is there |
| `signers` | from the stored keys to a signer; the hook of the engine |
| `verifying` | our own check of a signature, for the bench |

Keys are made and turned on by `envoi.delivery.actions.signing`.
"""

from envoi.delivery.dkim.records import Finding, Record, check, record
from envoi.delivery.dkim.signers import KeyUnreadable, sign_one, signed, signer
from envoi.delivery.dkim.signing import Signer

__all__ = ["Finding", "KeyUnreadable", "Record", "Signer", "check", "record", "sign_one", "signed", "signer"]
