"""The verification service: custody truth from movements."""
