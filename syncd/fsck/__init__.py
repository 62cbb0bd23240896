"""``syncd fsck`` 核查: is a node's store whole, and does it agree with itself? Mends only what can be derived."""
