"""The node's four keys 密钥 and its certificate authority.

Keys are never shared between roles (LEDGER §1): ``log`` signs this bureau's log, ``receipt`` countersigns what is
stored, ``witness`` is for outsiders' logs, ``tls`` speaks HTTPS. Beside them lie the node key that wraps record keys
and the row key for keyed hashes of source rows. Files are 0600 in a 0700 folder; anything wider is refused.
"""

from syncd.keyring.authority import bureau_urn, renew_ca, renew_tls, tls_files
from syncd.keyring.keys import (
    Keyring,
    add_signing_key,
    ask_whole,
    create,
    load,
    load_node_key,
    protect,
    signing_files,
    signing_keys,
)
from syncd.keyring.wrapping import is_wrapped, unwrap, wrap

__all__ = [
    "Keyring",
    "add_signing_key",
    "ask_whole",
    "bureau_urn",
    "create",
    "is_wrapped",
    "load",
    "load_node_key",
    "protect",
    "renew_ca",
    "renew_tls",
    "signing_files",
    "signing_keys",
    "tls_files",
    "unwrap",
    "wrap",
]
