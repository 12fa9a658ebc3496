"""Exercises: numbers that are friendly, sheets with places to write into, answers read and marked."""
