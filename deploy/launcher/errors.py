"""What stops a start: one sentence for the operator and an exit status."""


class StartError(Exception):
    """The platform cannot start; the message says why and what to do, in words an operator can use."""

    def __init__(self, message: str, *, exit_status: int = 1) -> None:
        super().__init__(message)
        self.exit_status = exit_status
