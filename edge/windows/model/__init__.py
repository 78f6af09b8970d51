"""The fitted part of the decision: `weights.npz`, made by `make fit`, and what walks it."""
