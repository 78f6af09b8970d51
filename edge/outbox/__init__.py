"""Store-and-forward of encoded rows."""
