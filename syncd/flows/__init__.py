"""The four stages 归集、共享、互认、受限, each a cursor over an append-only log, and what moves or asks them."""
