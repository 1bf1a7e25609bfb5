"""What each column of a table is taken for, why, and how to say otherwise."""

import numpy as np
import pandas as pd
import pytest

from skmm_core.config import DatasetConfig
from skmm_core.data.csv_layout import csv_layout
from skmm_core.data.load import load_dataset, load_texts
from skmm_core.data.table_formats import names_in
from skmm_core.errors import InputError

N = 40
X = np.random.default_rng(0).normal(size=(N, 3)).astype(np.float32)
F = ["f0", "f1", "f2"]
KINDS = np.array(["ant", "bee", "cat"])[np.arange(N) % 3]


def load(source, **options):
    return load_dataset(DatasetConfig(source=str(source), **options))


def saved(path, **columns):
    """A table of features with other columns before them."""
    made = pd.DataFrame({**columns, **dict(zip(F, X.T, strict=True))})
    made.to_parquet(path, index=False) if path.suffix == ".parquet" else made.to_csv(path, index=False)
    return path


def why(dataset, name):
    """Why a column is no feature, from the table of how the file was read."""
    return next((line.why for line in dataset.reading if line.part == "Left out" and repr(name) in line.taken), None)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("name", ["", "Unnamed: 0", "index", "number", "row"])
@pytest.mark.parametrize("start", [0, 1])
def test_a_column_that_counts_the_rows_is_no_feature(tmp_path, ending, name, start):
    path = saved(tmp_path / f"a.{ending}", **{name: np.arange(start, N + start)})
    dataset = load(path)
    assert dataset.feature_names == tuple(F)
    assert why(dataset, name) == "numbers the rows"
    assert dataset.ids == tuple(str(row) for row in range(N))
    if name:
        assert load(path, features=f"f0,{name}").feature_names == ("f0", name)


def test_an_index_in_another_order_names_the_rows(tmp_path):
    order = np.random.default_rng(1).permutation(N)
    pd.DataFrame(X[order], columns=F, index=order).to_csv(tmp_path / "a.csv")
    dataset = load(tmp_path / "a.csv")
    assert dataset.feature_names == tuple(F)
    assert dataset.ids == tuple(str(row) for row in order)


@pytest.mark.parametrize("ids", [[f"photo-{row}" for row in range(N)], [1000 + 7 * row for row in range(N)]])
def test_a_named_index_of_a_parquet_file_names_the_rows(tmp_path, ids):
    pd.DataFrame(X, columns=F, index=pd.Index(ids, name="sample")).to_parquet(tmp_path / "a.parquet")
    dataset = load(tmp_path / "a.parquet")
    assert dataset.feature_names == tuple(F)
    assert dataset.ids == tuple(str(each) for each in ids)


def test_levels_of_an_index_are_no_features(tmp_path):
    levels = pd.MultiIndex.from_arrays([np.arange(N) // 4, np.arange(N) * 7 % 4], names=["plot", "visit"])
    pd.DataFrame(X, columns=F, index=levels).to_parquet(tmp_path / "a.parquet")
    dataset = load(tmp_path / "a.parquet")
    assert dataset.feature_names == tuple(F)
    assert why(dataset, "visit") == "the file marks it as a part of the index"
    assert load(tmp_path / "a.parquet", features="plot,f0").feature_names == ("plot", "f0")


def test_an_index_of_names_without_a_name(tmp_path):
    names = [f"photo-{row}" for row in range(N)]
    pd.DataFrame(X, columns=F, index=names).to_parquet(tmp_path / "a.parquet")
    assert load(tmp_path / "a.parquet").ids == tuple(names)
    pd.DataFrame(X, columns=F, index=np.arange(N) * 2 + 5).to_parquet(tmp_path / "b.parquet")
    assert load(tmp_path / "b.parquet").feature_names == tuple(F)


@pytest.mark.parametrize("value", [2026, 0.5, True])
def test_a_constant_column_is_no_feature(tmp_path, value):
    dataset = load(saved(tmp_path / "a.csv", year=[value] * N))
    assert dataset.feature_names == tuple(F)
    assert why(dataset, "year") == "constant"
    assert load(tmp_path / "a.csv", features="year,f0").feature_names == ("year", "f0")


def test_numbers_far_from_zero_are_not_constant(tmp_path):
    dataset = load(saved(tmp_path / "a.csv", north=5_400_000_000.0 + np.arange(N) % 7))
    assert dataset.feature_names == ("north", *F)


def test_only_columns_that_are_left_out_is_a_question(tmp_path):
    (tmp_path / "a.csv").write_text("n,year\n" + "".join(f"{row},2026\n" for row in range(N)))
    with pytest.raises(
        InputError, match=r"n \(numbers the rows\), year \(constant\); name the ones to use .* --features"
    ):
        load(tmp_path / "a.csv")
    assert load(tmp_path / "a.csv", features="n").feature_names == ("n",)


@pytest.mark.parametrize(
    "name",
    [
        *("Label", " label ", "LABELS", "Target", "class", "Class Label", "y", "Y", "category"),
        *("label_id", "className", "class-id", "gt_label", "true label", "y_true"),
    ],
)
def test_the_target_is_found_by_its_name_however_it_is_written(tmp_path, name):
    dataset = load(saved(tmp_path / "a.csv", **{name: KINDS}))
    assert dataset.class_names == ("ant", "bee", "cat")
    (line,) = [line for line in dataset.reading if line.part == "Target"]
    assert line.taken == f"{name.strip()}: 3 classes, 'ant', 'bee', 'cat'"
    assert line.why == f"it is called {name.strip()!r}"
    assert line.change == "--target"


@pytest.mark.parametrize("other", ["x", "Z", " z "])
def test_no_target_is_guessed_beside_coordinates(tmp_path, other):
    dataset = load(saved(tmp_path / "a.csv", **{other: X[:, 1] + 1, "y": X[:, 0] * 2}))
    assert dataset.targets is None
    assert "y" in dataset.feature_names
    assert any("'y' stands beside coordinates" in note for note in dataset.notes)
    assert load(tmp_path / "a.csv", target="y").targets is not None


def test_a_column_that_says_the_same_as_the_target_is_no_feature(tmp_path):
    codes = np.arange(N) % 3
    dataset = load(saved(tmp_path / "a.csv", label=KINDS, code=codes * 10, half=codes // 2, noise=np.arange(N) % 5))
    assert why(dataset, "code") == "says the same as the target"
    assert dataset.feature_names == ("half", "noise", *F)


def test_of_several_labels_the_plainest_name_is_the_target(tmp_path):
    columns = {"class_id": np.arange(N) % 4, "Class": KINDS, "label_index": np.arange(N) % 5}
    dataset = load(saved(tmp_path / "a.csv", **columns))
    assert dataset.class_names == ("ant", "bee", "cat")
    assert dataset.feature_names == tuple(F)


def test_text_of_a_typed_file_is_no_feature_even_if_it_is_a_number(tmp_path):
    some = [str(row) if row < 5 else None for row in range(N)]
    dataset = load(saved(tmp_path / "a.parquet", code=some, gone=[np.nan] * N))
    assert dataset.feature_names == tuple(F)
    assert why(dataset, "code") == "text; kept to look at"
    assert why(dataset, "gone") == "empty"


def test_labels_under_a_second_name_are_no_feature(tmp_path):
    dataset = load(saved(tmp_path / "a.csv", label=KINDS, target=np.arange(N) % 7))
    assert why(dataset, "target") == "its name is that of a label"


IDS = {
    "zeros": [f"{row:05d}" for row in range(N)],
    "powers": [f"{row + 10}e{row % 5}" for row in range(N)],
    "versions": [f"1.{row}0" for row in range(N)],
    "hashes": [str(2**63 + 7 * row) for row in range(N)],
    "longer": [str(10**30 + row) for row in range(N)],
    "hex": [f"0x{row:02x}" for row in range(N)],
    "negative": [str(-row - 1) for row in range(N)],
}


@pytest.mark.parametrize("ids", IDS.values(), ids=IDS)
@pytest.mark.parametrize("named", [True, False])
def test_ids_are_read_digit_by_digit(tmp_path, ids, named):
    path = saved(tmp_path / "a.csv", id=ids)
    dataset = load(path, id="id" if named else None)
    assert dataset.ids == tuple(ids)
    assert dataset.feature_names == tuple(F)


@pytest.mark.parametrize("name", ["image_id", "Sample ID", "UUID", "phash", "file-id"])
def test_names_that_end_as_an_id_are_ids_where_every_row_has_its_own(tmp_path, name):
    ids = [f"{row:05d}" for row in range(N)]
    dataset = load(saved(tmp_path / "a.csv", **{name: ids, "user_id": np.arange(N) % 7}))
    assert dataset.ids == tuple(ids)
    assert dataset.feature_names == tuple(F)
    assert why(dataset, "user_id") == "its name is that of an id"


def test_a_key_in_music_is_a_number(tmp_path):
    assert load(saved(tmp_path / "a.csv", key=np.arange(N) * 5 % 12)).feature_names == ("key", *F)


def test_whole_ids_that_a_gap_made_floats(tmp_path):
    assert load(saved(tmp_path / "a.parquet", key=np.arange(N) * 3.0), id="key").ids[:2] == ("0", "3")


def test_numbers_that_repeat_are_no_ids_even_if_they_are_called_so(tmp_path):
    dataset = load(saved(tmp_path / "a.csv", id=np.arange(N) % 9))
    assert dataset.feature_names == tuple(F)
    assert why(dataset, "id") == "its name is that of an id"


def test_columns_can_be_left_out(tmp_path):
    path = saved(tmp_path / "a.csv", price=X[:, 0] * 3, label=KINDS)
    dataset = load(path, ignore=" price , label")
    assert dataset.feature_names == tuple(F)
    assert dataset.targets is None
    assert why(dataset, "price") == why(dataset, "label") == "ignored as asked"
    with pytest.raises(InputError, match=r"has no column 'cost' for --ignore; it has price, label, f0"):
        load(path, ignore="cost")
    with pytest.raises(InputError, match=r"column 'label' is named and ignored at once"):
        load(path, ignore="label", target="label")
    with pytest.raises(InputError, match=r"column 'label' is the target, the id or ignored, so it is no feature"):
        load(path, features="f0,label", target="label")
    with pytest.raises(InputError, match=r"--features is empty"):
        load(path, features=" , ")


def test_a_test_file_is_read_as_its_pool_was(tmp_path):
    train = saved(tmp_path / "a.csv", **{"": np.arange(N), "year": [2026] * N, "label": KINDS})
    test = saved(tmp_path / "b.csv", **{"": np.arange(N), "year": [2025] * N, "label": KINDS})
    dataset = load(train, test=str(test))
    assert dataset.feature_names == tuple(F)
    assert len(dataset.split.test) == N
    vectors = pd.DataFrame({"v": list(X), "label": KINDS})
    for name in ("c", "d"):
        vectors.to_parquet(tmp_path / f"{name}.parquet")
    dataset = load(tmp_path / "c.parquet", test=str(tmp_path / "d.parquet"))
    assert dataset.features.shape == (2 * N, 3)


def test_a_column_that_is_partly_numbers_is_kept_to_look_at(tmp_path):
    tickets = [str(113_800 + row) if row % 3 else f"A/5 {row}" for row in range(N)]
    dataset = load(saved(tmp_path / "a.csv", ticket=tickets))
    assert dataset.feature_names == tuple(F)
    assert why(dataset, "ticket") == "holds text in 14 of 40 rows (row 0, from 0: 'A/5 0'); kept to look at"
    assert dataset.shown.column("ticket").to_pylist() == tickets


def test_columns_of_numbers_beside_vectors_can_be_looked_at(tmp_path):
    price = np.arange(N) * 2.5
    pd.DataFrame({"v": list(X), "price": price, "when": pd.Timestamp("2026-01-01")}).to_parquet(tmp_path / "a.parquet")
    dataset = load(tmp_path / "a.parquet", holdout=0.25)
    numbers = dataset.shown_numbers()
    assert list(numbers) == ["price"]
    assert numbers["price"].tolist() == price[dataset.split.train.numpy()].tolist()
    kept = load(tmp_path / "a.parquet", features="price")
    assert kept.feature_names == ("price",)


LAYOUTS = {
    "words above numbers": ("a,b\n1,2\n3,4\n", ["a", "b"], ","),
    "numbers in order": ("0,1,2\n.5,.6,.7\n", ["0", "1", "2"], ","),
    "years": ("name;2019;2020\nann;1,5;2,5\n", ["name", "2019", "2020"], ";"),
    "one column": ("label\n3\n4\n", ["label"], ","),
    "an index of pandas": (",a\n0,1.5\n1,2.5\n", ["", "a"], ","),
    "words over words": ("file_name,label\na.jpg,cat\nb.jpg,dog\n", ["file_name", "label"], ","),
    "a class called as its column": ("cat,x\n1,cat\n0,cat\n", ["cat", "x"], ","),
    "spaces": ("a , b\n1 , 2\n", ["a", "b"], ","),
    "tabs with commas": ("a\tb\n1,5\t2,5\n", ["a", "b"], "\t"),
    "bars": ("a|b\n1|2\n", ["a", "b"], "|"),
    "a semicolon in a name": ("a,b;c,d\n1,2,3\n4,5,6\n", ["a", "b;c", "d"], ","),
    "sep": ("sep=;\na;b\n1;2\n", ["a", "b"], ";"),
    "sep in quotes": ('"sep=|"\r\na|b\r\n1|2\r\n', ["a", "b"], "|"),
    "blank lines and a mark": ("\ufeff\n\na,b\n1,2\n", ["a", "b"], ","),
}


@pytest.mark.parametrize(("text", "names", "delimiter"), LAYOUTS.values(), ids=LAYOUTS)
def test_a_header_is_found(tmp_path, text, names, delimiter):
    (tmp_path / "a.csv").write_text(text, encoding="utf-8", newline="")
    layout = csv_layout(tmp_path / "a.csv", "a.csv")
    assert (layout.names, layout.header, layout.delimiter) == (names, True, delimiter)
    assert names_in(tmp_path / "a.csv") == names


NO_HEADERS = {
    "decimals": "0.5,1.5\n2.5,3.5\n",
    "a label last": "0.1,0.2,ant\n0.3,0.4,bee\n0.5,0.6,ant\n",
    "a label first": "ant,0.1,0.2\nbee,0.3,0.4\n",
    "whole numbers": "5,3,3\n1,4,4\n",
    "powers": "1e-3,2e-3\n1e-2,3e-2\n",
    "decimal commas": "0,5;1,5\n2,5;3,5\n",
    "an empty first cell": ",1.5,ant\n0.5,2.5,bee\n",
    "words that come again": "ant,red\nbee,blue\nant,red\n",
    "vectors": '"[0.1, 0.2]",ant\n"[0.3, 0.4]",bee\n',
    "pixels": "ant,1 2 3\nbee,4 5 6\n",
    "gaps": "nan,1.5\n2.5,nan\n",
}


@pytest.mark.parametrize("text", NO_HEADERS.values(), ids=NO_HEADERS)
def test_a_first_row_is_no_header(tmp_path, text):
    (tmp_path / "a.csv").write_text(text)
    layout = csv_layout(tmp_path / "a.csv", "a.csv")
    assert not layout.header
    assert layout.names[0] == "column 1"


def test_no_row_of_a_file_without_a_header_is_lost(tmp_path):
    pd.DataFrame(X).assign(kind=KINDS).to_csv(tmp_path / "a.csv", index=False, header=False)
    dataset = load(tmp_path / "a.csv", target="column 4")
    assert np.array_equal(dataset.features.numpy(), X)
    assert dataset.class_names == ("ant", "bee", "cat")
    assert "line 1 names no columns" in dataset.reading[0].taken


@pytest.mark.parametrize("sep", [";", "\t", ","])
def test_decimal_commas_are_numbers(tmp_path, sep):
    made = pd.DataFrame(X, columns=F).assign(age=np.arange(N) % 7, label=np.arange(N) % 3)
    made.to_csv(tmp_path / "a.csv", index=False, sep=sep, decimal=",")
    dataset = load(tmp_path / "a.csv")
    assert dataset.feature_names == (*F, "age")
    assert np.array_equal(dataset.features[:, :3].numpy(), X)
    assert "decimal comma" in dataset.reading[0].taken


def test_thousands_with_points_before_decimal_commas(tmp_path):
    rows = "".join(f"{row % 7}.{row:03d},5;{row},25;{row * 7 % 11},5\n" for row in range(N))
    (tmp_path / "a.csv").write_text("price;b;c\n" + rows)
    dataset = load(tmp_path / "a.csv")
    assert dataset.feature_names == ("price", "b", "c")
    assert dataset.features[:, 0].tolist() == [1000 * (row % 7) + row + 0.5 for row in range(N)]


def test_a_place_on_a_map_as_text_is_no_vector(tmp_path):
    dataset = load(saved(tmp_path / "a.csv", place=[f"52.{row}, 13.{row}" for row in range(N)]))
    assert dataset.feature_names == tuple(F)


ROWS = "".join(f"{row}.5,{row * 7 % 11},{row % 3}\n" for row in range(1, 30))


@pytest.mark.parametrize(
    "before",
    ["# f0,f1,label\n", "#f0,f1,label\n", "# made in 2024\n# a, b\nf0,f1,label\n", "\ufeff#a,b,c\nf0,f1,label\n"],
)
def test_lines_that_begin_with_a_hash_sign(tmp_path, before):
    (tmp_path / "a.csv").write_text(before + ROWS)
    dataset = load(tmp_path / "a.csv")
    assert dataset.feature_names == ("f0", "f1")
    assert dataset.pool_size == 29
    assert dataset.class_names == ("0", "1", "2")
    assert names_in(tmp_path / "a.csv") == ["f0", "f1", "label"]


@pytest.mark.parametrize("between", [" ", "   "])
@pytest.mark.parametrize("first", ["", '"1" '])
def test_columns_between_spaces_are_no_vector(tmp_path, between, first):
    rows = "".join(first + line.replace(",", between) + "\n" for line in ROWS.splitlines())
    (tmp_path / "a.csv").write_text(between.join(["f0", "f1", "label"]) + "\n" + rows)
    with pytest.raises(InputError, match="columns seem to be separated by spaces; save it with commas"):
        load(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("150,4,setosa\n" + ROWS, True),
        ("0,1,2\n" + "".join(f"{row},{row % 5},{row % 3}\n" for row in range(30)), True),
        ("0,1,2\n" + ROWS, False),
        (",0,1\n" + ROWS, False),
        ("f0,f1,label\n" + ROWS, False),
    ],
)
def test_names_that_could_be_a_row_are_said(tmp_path, text, told):
    (tmp_path / "a.csv").write_text(text)
    said = any("taken for names of columns, though it holds numbers" in note for note in load(tmp_path / "a.csv").notes)
    assert said == told


@pytest.mark.parametrize(
    ("cells", "sep", "values"),
    [
        (["1,234", "2,000", "3,500"], ",", [1234, 2000, 3500]),
        (["1,234", "999", "12,345,678"], ",", [1234, 999, 12345678]),
        (["1,234.5", "0.25", "-2,000.75"], ",", [1234.5, 0.25, -2000.75]),
        (["1,234", "0.5", "7"], "\t", [1234, 0.5, 7]),
        (["0,123", "1,5", "2,25"], ",", [0.123, 1.5, 2.25]),
        (["0,123", "1,234", "2,345"], ";", [0.123, 1.234, 2.345]),
        (["1.234", "12.345", "2.000"], ";", [1234, 12345, 2000]),
        (["1.234,5", "0,5", "7"], ";", [1234.5, 0.5, 7]),
    ],
)
@pytest.mark.parametrize("named", ["price", "label"])
def test_marks_in_numbers(tmp_path, cells, sep, values, named):
    rest = ",5" if sep == ";" else ".5"
    made = pd.DataFrame({named: np.tile(cells, 10), "f": [f"{row * 7 % 11}{rest}" for row in range(30)]})
    made.to_csv(tmp_path / "a.csv", index=False, sep=sep)
    dataset = load(tmp_path / "a.csv", task="regression" if named == "label" else "auto")
    found = dataset.targets if named == "label" else dataset.features[:, 0]
    assert np.allclose(found[:3].numpy(), values)


def test_a_column_of_thousands_with_one_typing_error_is_said(tmp_path):
    cells = ["1,2345" if row == 5 else f"{row + 1},{row * 7 % 10}50" for row in range(30)]
    pd.DataFrame({"price": cells, "f": np.arange(30) % 7 + 0.5}).to_csv(tmp_path / "a.csv", index=False)
    dataset = load(tmp_path / "a.csv")
    assert dataset.feature_names == ("f",)
    assert why(dataset, "price").startswith("text")


def test_a_comma_that_may_be_either_mark_is_no_number(tmp_path):
    made = pd.DataFrame({"price": ["1,234", "2,345"] * 10, "f": np.arange(20) % 7 + 0.5})
    made.to_parquet(tmp_path / "a.parquet")
    with pytest.raises(InputError, match="the target column 'price' is text; a regression needs numbers"):
        load(tmp_path / "a.parquet", target="price", task="regression")


def test_spaces_around_names_and_words_are_no_part_of_them(tmp_path):
    rows = "".join(f"{row * 7 % 20}.25, ant , {row}\n{row}.5, bee, {row * 3}\n" for row in range(12))
    (tmp_path / "a.csv").write_text("f0 , label, f1\n" + rows)
    dataset = load(tmp_path / "a.csv", target=" label ")
    assert dataset.class_names == ("ant", "bee")
    assert dataset.feature_names == ("f0", "f1")
    pd.DataFrame({" a ": X[:, 0], " Label": KINDS}).to_parquet(tmp_path / "a.parquet")
    assert load(tmp_path / "a.parquet").feature_names == ("a",)


def test_ids_that_count_from_one_are_ids_still(tmp_path):
    dataset = load(saved(tmp_path / "a.csv", id=np.arange(1, N + 1)))
    assert dataset.ids == tuple(str(row) for row in range(1, N + 1))
    assert dataset.feature_names == tuple(F)


def test_numbers_under_the_name_of_ids_or_labels_are_no_texts(tmp_path):
    rows = "".join(f"{1000 + row % 4},{row % 3}.5,A sentence that says {row}\n" for row in range(N))
    (tmp_path / "a.csv").write_text("user_id,gold_label,said\n" + rows)
    dataset = load_texts(DatasetConfig(source=str(tmp_path / "a.csv")))
    assert dataset.texts is not None
    assert dataset.texts.text(5) == "A sentence that says 5"
    (tmp_path / "b.csv").write_text("x,y\n" + "".join(f"{row}.25,{row * 3 % 7}\n" for row in range(N)))
    with pytest.raises(InputError, match="has no column of text"):
        load_texts(DatasetConfig(source=str(tmp_path / "b.csv")))


def test_short_texts_of_a_column_called_text_are_shown_before_longer_addresses(tmp_path):
    urls = [f"https://example.org/a/long/address/{row}" for row in range(N)]
    short = [f"red shoe {row}" for row in range(N)]
    shown = load(saved(tmp_path / "a.csv", text=short, url=urls))
    assert shown.texts.values.to_pylist() == short
    codes = [f"S{row % 4}" for row in range(N)]
    assert load(saved(tmp_path / "b.csv", text=codes)).texts is None  # what repeats is a code
    assert load(saved(tmp_path / "c.csv", text=codes, url=urls)).texts.values.to_pylist() == urls


def test_a_column_of_text_that_cannot_be_used_is_not_said_to_be_missing(tmp_path):
    path = saved(tmp_path / "a.parquet", text=pd.Series([None] * N, dtype="string"))
    with pytest.raises(InputError, match="no column of text that is neither empty, ignored, the target nor the id"):
        load_texts(DatasetConfig(source=str(path)))
