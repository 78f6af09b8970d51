"""How the weights of the doorway decision are made: doors played, visits measured, trees fitted. See `make fit`."""
