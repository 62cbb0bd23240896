"""The ledger (存证账本), pure: entry bytes, Merkle tree, tiles, notes, proofs, verdict on a peer's batch.

One log per bureau, one writer per log. Bytes come in, verified facts go out; nothing here opens, fetches,
stores, logs or asks the time. The formats are public ones that other people's tools verify: RFC 6962, RFC
8785 and C2SP signed-note, tlog-checkpoint, tlog-cosignature, tlog-tiles, tlog-policy, tlog-proof.
"""
