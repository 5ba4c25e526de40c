"""The fault of a case that raised nothing, or raised the right thing, and still left a mess."""


class HalfFile(Exception):
    """A case left half a file, or changed what it refused."""
