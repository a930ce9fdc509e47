"""How fast and how small the server is, measured from outside: real processes, real sockets, a real disk."""
