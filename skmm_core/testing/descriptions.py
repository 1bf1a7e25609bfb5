"""What lists, forms and citations say of a method."""

import re

from skmm_core.testing.subject import MethodUnderTest


class DescriptionContract(MethodUnderTest):
    """A key for files and commands, a sentence and a source for people, a default and a help text for every option."""

    def test_every_param_has_a_help_text_and_every_method_its_source(self) -> None:
        spec = self.spec
        assert spec.summary.endswith(".")
        assert spec.url.startswith("https://")
        assert all(field.description for field in spec.params.model_fields.values())
        assert spec.params() == spec.parse({})

    def test_its_key_is_one_word_of_a_command(self) -> None:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", self.spec.key)
