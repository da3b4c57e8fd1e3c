"""Workflows to begin with, as files."""
