"""Faults and inputs of running readers: the switchboard, and the HTTP API on it."""
