"""How each activation, loss and optimizer is written."""
