"""What a visit's reads say, as numbers."""
