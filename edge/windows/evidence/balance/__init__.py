"""Which side was louder when, and where that changed."""
