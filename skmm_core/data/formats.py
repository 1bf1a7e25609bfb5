"""The one table of formats: what each is called, which names it has, what it may hold, and what reads it.

Help texts, the upload field, messages and the lists in documents are made from it. It imports no reader, so that a form
or `--help` can show it before anything heavy is loaded.
"""

from dataclasses import dataclass
from pathlib import Path

from skmm_core.data.natural_order import parts_in

PACKINGS = (".gz", ".zst", ".bz2")
TAR_ENDINGS = (".tar", ".tar.gz", ".tgz")
IN_BLOCKS = (".npy", ".parquet")  # files of which a pool may be larger than memory
ARCHIVE_ENDINGS = (".zip", *TAR_ENDINGS)  # of pictures


@dataclass(frozen=True)
class Format:
    """One format that is read.

    Attributes:
        key: short name.
        title: for people.
        endings: of its files, lower case with the dot, or none for what is only found in folders.
        holds: in a few words, what is read of it.
        reader: module of this room that reads it; its `READERS` say how, by key.
        packed: whether its files may also be packed, as in `.csv.gz`.
        folder: how a folder of it looks, or None where only single files are read.
        install: the line that installs what reads it, or None where nothing is missing.
        columns: whether it is a table; else it holds arrays with names.
    """

    key: str
    title: str
    endings: tuple[str, ...]
    holds: str
    reader: str
    packed: bool = False
    folder: str | None = None
    install: str | None = None
    columns: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """All endings, packed ones too."""
        packed = tuple(f"{ending}{packing}" for ending in self.endings for packing in PACKINGS) if self.packed else ()
        return (*self.endings, *packed)


FORMATS = (
    Format(
        "npz",
        "NumPy archive",
        (".npz",),
        "`X` (N, d), or one 2-d array of any name; optional `y`, `ids`, `names`, `X_test`, `y_test`",
        "arrays",
        folder="`part-1.npz`, `part-2.npz`, …: parts in the order of their numbers",
        columns=False,
    ),
    Format(
        "npy",
        "NumPy array",
        (".npy",),
        "features (N, d), with `--labels y.npy`",
        "arrays",
        folder="`part-1.npy`, `part-2.npy`, …: parts in the order of their numbers",
        columns=False,
    ),
    Format(
        "csv",
        "Table as text",
        (".csv", ".tsv"),
        "columns with commas, semicolons or tabs between, also decimal commas; an embedding may stand in one column as "
        "`[0.1, 0.2]`",
        "table_readers",
        packed=True,
    ),
    Format(
        "parquet",
        "Parquet",
        (".parquet",),
        "number columns, or one list column with the embedding; class names that Hugging Face wrote along",
        "parquet_parts",
        folder="`part-1.parquet`, `part-2.parquet`, …: parts in the order of their numbers, also in folders such as "
        "`label=cat`",
    ),
    Format(
        "arrow",
        "Arrow, Feather",
        (".arrow", ".feather", ".ipc"),
        "as parquet; file and stream",
        "arrow_reader",
    ),
    Format(
        "jsonl",
        "JSON lines",
        (".jsonl", ".ndjson"),
        "one object a line, a list of numbers in it is the embedding; also the answers of an embedding batch job",
        "jsonl_reader",
        packed=True,
    ),
    Format(
        "safetensors",
        "Safetensors",
        (".safetensors",),
        "one 2-d tensor of any name; optional labels and ids as 1-d tensors",
        "safetensors_reader",
        columns=False,
    ),
    Format(
        "h5ad",
        "AnnData",
        (".h5ad",),
        "`obsm` or `X`, also sparse; columns of `obs`",
        "h5ad_reader",
        install="pip install h5py",
    ),
    Format(
        "hf",
        "Saved Hugging Face dataset",
        (),
        "as parquet; the splits train, validation and test",
        "arrow_reader",
        folder="made by `save_to_disk`: `data-*.arrow` with `state.json`, or one such folder a split",
    ),
    Format(
        "clip",
        "clip-retrieval",
        (),
        "embeddings of images or texts, and their metadata",
        "folder_reader",
        folder="`img_emb/img_emb_0.npy`, `text_emb/…`, `metadata/metadata_0.parquet`",
    ),
    Format(
        "lance",
        "Lance, LanceDB",
        (),
        "as parquet; rows in the table's current order, where an updated row stands last and keeps its id",
        "lance_reader",
        folder="`NAME.lance`, or one that holds a single such table",
        install="pip install pylance",
    ),
    Format(
        "fiftyone",
        "FiftyOne export",
        (),
        "vectors, labels and plain fields of the samples",
        "fiftyone_reader",
        folder="`samples.json` and `metadata.json`",
    ),
    Format(
        "atlas",
        "Embedding Atlas export",
        (".zip",),
        "as parquet; its layout (`projection_x`, `projection_y`, `neighbors`) is no feature",
        "atlas_reader",
        folder="`data/dataset.parquet` and `data/metadata.json`",
    ),
    Format(
        "projector",
        "TensorFlow projector",
        (),
        "vectors without a header, and metadata, with a header where it has two columns or more",
        "folder_reader",
        folder="`tensors.tsv` and `metadata.tsv`",
    ),
)
FILE_KINDS = tuple(ending for form in FORMATS for ending in form.endings)
FILE_NAMES = tuple(name for form in FORMATS for name in form.names)


def is_archive(name: str) -> bool:
    """Whether a file of this name is read as an archive of pictures."""
    return name.lower().endswith(ARCHIVE_ENDINGS)


def holds_features(name: str) -> bool:
    """Whether a file of this name is read as features where it could be one of pictures too."""
    return kind_of(Path(name)) in FILE_KINDS and not is_archive(name)


def is_tar(name: str) -> bool:
    """Whether a file of this name is read as a tar file, packed or not."""
    return name.lower().endswith(TAR_ENDINGS)


def kind_of(path: Path) -> str:
    """Ending that tells the format of a path, lower case: ".csv" also of "a.CSV.gz"; "" where there is none."""
    name = path.name.lower()
    packing = next((packing for packing in PACKINGS if name.endswith(packing)), "")
    inner = Path(name.removesuffix(packing)).suffix
    if packing and any(inner in form.endings and form.packed for form in FORMATS):
        return inner
    return path.suffix.lower()


def packing_of(path: Path) -> str | None:
    """How a file is packed (".gz", also of ".tgz"), or None."""
    suffix = ".gz" if path.suffix.lower() == ".tgz" else path.suffix.lower()
    return suffix if suffix in PACKINGS else None


def format_of(path: Path) -> Format | None:
    """The format that a file's name tells, or None."""
    kind = kind_of(path)
    return next((form for form in FORMATS if kind in form.endings), None)


def is_table(path: Path) -> bool:
    """Whether a path is a folder, or a file of a format with columns."""
    form = format_of(path)
    return path.is_dir() or (form is not None and form.columns)


def array_parts(folder: Path) -> list[Path]:
    """Parts of one array: the files of a folder of nothing but npy files, or npz files, in natural order; else none."""
    for ending in (".npy", ".npz") if folder.is_dir() else ():
        parts = parts_in(folder, f"*{ending}")
        shown = sum(path.name[0] not in "._" for path in folder.iterdir())
        if parts and len(parts) == shown:
            return parts
    return []


def format_table() -> str:
    """Markdown table of all formats."""
    rows = ["| Format | Names | What it holds |", "|---|---|---|"]
    for form in FORMATS:
        packed = f" (also {', '.join(PACKINGS)})" if form.packed else ""
        names = ", ".join(f"`{ending}`" for ending in form.endings) + packed
        if form.folder:
            names = f"{names}; a folder of {form.folder}" if names else f"folder: {form.folder}"
        install = f"; needs `{form.install}`" if form.install else ""
        rows.append(f"| {form.title} | {names} | {form.holds}{install} |")
    return "\n".join(rows) + "\n"
