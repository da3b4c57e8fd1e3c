"""Starts, watches and stops everything `make up` needs; imports no Django, so it stays small."""
