"""Evidence (证据): proof bundles, exports and audits made from a node's store or from an exported folder."""
