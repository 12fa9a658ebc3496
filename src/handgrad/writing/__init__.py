"""How a symbol, a number, a sentence is written, in any medium."""
