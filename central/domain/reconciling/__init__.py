"""Other books held against ours: finance's register, people, tickets, devices, the network. No clock, no I/O."""
