"""The conformance matrix: each behaviour of LLRP readers in the field, played, and what the agent did about it."""
