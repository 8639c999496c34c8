"""For the docs site: sections called `Example:`, as Keras writes them, are shown as the code that they are."""

import re
from typing import Any

import griffe


class ExamplesSection(griffe.Extension):
    """Griffe's Google style knows the plural alone."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        """Renames the section before the docstring is parsed."""
        if obj.docstring:
            obj.docstring.value = re.sub(r"^( *)Example:$", r"\1Examples:", obj.docstring.value, flags=re.MULTILINE)
