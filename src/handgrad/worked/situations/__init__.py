"""What can be said of a step: a bank of situations, each with the condition under which it is so."""
