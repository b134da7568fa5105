"""Completion of command lines: what the shells know by themselves, and what they ask for."""
