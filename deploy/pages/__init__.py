"""Pages for people: the start page, the demo, caught mail."""
