"""How right the decision at a doorway is: random doors, a frozen set of them, and what became of their passages."""
