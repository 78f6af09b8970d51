"""What is odd about a passage, a tag or a door: pure rules over what was seen and what the registry holds.

Each rule takes what it judges and gives a `Suspicion` or nothing; who calls turns it into an exception, and into an
alert where a guard has to act. No clock, no I/O; no errors of its own.
"""
