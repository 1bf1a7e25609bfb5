"""The key of a method comes in, pytest's verdicts on what every method promises go out.

What one method alone promises, such as its reference, does not belong here. Nothing else in the engine imports this
room: it needs pytest and Hypothesis.
"""

try:
    import hypothesis  # noqa: F401 - named here so that one line says what is missing
    import pytest
except ImportError as error:
    raise ImportError(f"skmm_core.testing needs {error.name}; run: pip install pytest hypothesis") from None

# Asserts of a library say nothing but "AssertionError" unless pytest rewrites them, which it does at import.
_THEMES = ("answers", "descriptions", "include_exclude", "inputs", "invariance", "randomness", "reports", "subject")
pytest.register_assert_rewrite(*(f"{__name__}.{theme}" for theme in _THEMES))

from skmm_core.testing.contract import MethodContract  # noqa: E402 - only now are the asserts rewritten

__all__ = ["MethodContract"]
