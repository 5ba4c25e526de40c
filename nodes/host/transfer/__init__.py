"""Style transfer as a patch on a MODEL."""
