"""A week in seconds: scenarios run by the real engine under a clock in our hands."""
