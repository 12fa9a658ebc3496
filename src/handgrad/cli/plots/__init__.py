"""Plots for the command line."""
