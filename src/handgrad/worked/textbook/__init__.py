"""What textbooks say beside the calculation, as equations that are verified like its own."""
