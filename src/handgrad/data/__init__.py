"""Tables: from a file to the inputs and targets of a network, and which rows train when."""
