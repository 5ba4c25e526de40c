"""Marking style words by a language model: what it is asked, a local model, an endpoint."""
