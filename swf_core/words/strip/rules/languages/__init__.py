"""Languages other than English that the offline method reads, each by a small lexicon, and how a language is told."""
