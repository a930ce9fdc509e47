"""Gatebell, the server: it rings a person where that person works and brings the answer back."""
