"""The feedback gallery's side of the server."""
