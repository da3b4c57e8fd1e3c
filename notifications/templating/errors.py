"""What can be wrong with a template when it is rendered; at saving the same is told as `Fault`s."""


class TemplateError(Exception):
    """It cannot be rendered. `pointer` is a JSON Pointer into the template's fields, `detail` a sentence for its author."""

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(f"{pointer}: {detail}" if pointer else detail)
        self.pointer = pointer
        self.detail = detail
