"""JSON in forms, laid out as people read and edit it."""

import json
from typing import Any

from django import forms


class ReadableJSONField(forms.JSONField):
    """Indented; what was typed wrongly stays as it was typed."""

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, forms.fields.InvalidJSONInput):
            return value
        return json.dumps(value, indent=2, ensure_ascii=False, cls=self.encoder)
