"""Hornbook builds a small language model end to end."""
