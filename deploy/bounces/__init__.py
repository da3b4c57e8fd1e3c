"""The SMTP listener for bounces, and the settings of every way by which they come back."""
