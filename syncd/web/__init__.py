"""HTTPS: the exchange with peers, and the server that proves who calls."""
