"""The texts that go with the rows of a dataset, for cards and for search."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from skmm_core.data.file_names import one_form


@dataclass(frozen=True)
class RowTexts:
    """One text a row.

    Attributes:
        values: R texts, `large_string` without nulls; a row without a text has an empty one.
    """

    values: pa.LargeStringArray

    @classmethod
    def of(cls, texts: Iterable[str]) -> "RowTexts":
        """Hold these texts, one a row."""
        return cls(pa.array(texts, pa.large_string()))

    @classmethod
    def joined(cls, data: np.ndarray, ends: np.ndarray) -> "RowTexts":
        """Hold texts that stand one after the other.

        Args:
            data: (B,) uint8, all texts in UTF-8.
            ends: (R,) int64, where each ends.

        Raises:
            ValueError: the ends do not rise within the data, or the bytes are no UTF-8.
        """
        offsets = np.concatenate([np.zeros(1, np.int64), ends.astype(np.int64)])
        if (np.diff(offsets) < 0).any() or offsets[-1] > len(data):
            raise ValueError("the ends point outside of the texts")
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(data))]
        values = pa.Array.from_buffers(pa.large_string(), len(ends), buffers)
        values.validate(full=True)  # raises ArrowInvalid, which is a ValueError
        return cls(values)

    @classmethod
    def all_of(cls, parts: Sequence["RowTexts"]) -> "RowTexts":
        """The texts of all parts, one after the other."""
        return cls(pa.concat_arrays([part.values for part in parts]))

    def __len__(self) -> int:
        return len(self.values)

    def bytes_and_ends(self) -> tuple[np.ndarray, np.ndarray]:
        """All texts joined, (B,) uint8 of UTF-8, and the (R,) int64 end of each."""
        whole = pa.concat_arrays([self.values]) if self.values.offset else self.values
        _, offsets, data = whole.buffers()
        places = np.frombuffer(offsets, np.int64, len(whole) + 1)
        found = np.empty(0, np.uint8) if data is None else np.frombuffer(data, np.uint8)
        return found[places[0] : places[-1]], places[1:] - places[0]

    def take(self, rows: np.ndarray) -> "RowTexts":
        """The texts of these rows, in their order."""
        return RowTexts(self.values.take(pa.array(rows, pa.int64())))

    def text(self, row: int) -> str:
        """The text of one row."""
        return str(self.values[row].as_py())

    def blank(self) -> np.ndarray:
        """(R,) bool, the rows without a text, or with nothing but white space."""
        return np.asarray(pc.equal(pc.utf8_trim_whitespace(self.values), ""))

    @cached_property
    def _in_one_form(self) -> pa.LargeStringArray:
        """The texts with every accent in its letter; worked out once, and held once where they are so already."""
        found = pc.utf8_normalize(self.values, "NFC")
        return self.values if found.equals(self.values) else found

    def matches(self, query: str) -> np.ndarray:
        """(R,) bool, the rows whose text holds every word of the query, in whatever case, order and Unicode form.

        Args:
            query: words with blanks between, taken as they are written; none match every row.
        """
        found = np.ones(len(self), bool)
        for word in one_form(query).split():
            values = self.values if word.isascii() else self._in_one_form
            found &= np.asarray(pc.match_substring(values, word, ignore_case=True))
        return found
