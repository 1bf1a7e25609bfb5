"""What a run is asked to do: one model for the command line, the web form and `config.json`.

Nothing here imports torch, so that a page can read old runs before torch is loaded.
"""

from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DatasetConfig(_Frozen):
    """Which dataset, and how to read it."""

    source: str = Field(
        description="Built-in name with options (gmm:N=2000,seed=3; digits:seed=3), or a file or folder."
    )
    test: str | None = Field(None, description="File with the test rows; never picked from.")
    labels: str | None = Field(None, description="npy file with the targets of an npy file of features.")
    target: str | None = Field(
        None, description="Column or array with the target (default: one called label, target or y, or as such are)."
    )
    id: str | None = Field(None, description="Column or array with distinct row names, read as text.")
    features: str | None = Field(
        None,
        description="Column of vectors (bytes as NAME:float32) or array that is the features, or columns of numbers "
        "with commas between (default: the one column of vectors, else all columns of numbers).",
    )
    text: str | None = Field(
        None,
        description="Column of texts, or several with commas between, which are joined (default: the one called text "
        "or the like, else the one with the longest texts).",
    )
    ignore: str | None = Field(None, description="Columns to leave out, with commas between.")
    unlabelled: str | None = Field(
        None, description="Value of the target that says that a row has no label, such as -1 or todo; empty ones do."
    )
    labelled_only: bool = Field(
        False, description="Take only the rows with a label: what comparing needs of a partly labelled file."
    )
    holdout: float | None = Field(None, gt=0, lt=1, description="Fraction of the file's rows kept out for scoring.")
    task: Literal["auto", "classification", "regression"] = Field("auto", description="What the targets ask for.")
    drop_bad_rows: bool = Field(False, description="Leave out rows with NaN or infinite numbers instead of stopping.")
    scale_columns: bool = Field(
        False, description="Bring every column to mean 0 and standard deviation 1 first: for tables in mixed units."
    )
    candidates: int | None = Field(
        None,
        ge=100,
        le=1_000_000,
        description="Rows to hold of a pool that memory cannot, and to pick among (default: as many as fit in 256 MB, "
        "20,000 to 131,072).",
    )
    name: str | None = Field(None, max_length=200, description="What to call it; default the name of the file.")


class SketchParams(_Frozen):
    """How gradients are sketched before moments are matched."""

    kind: Literal["gaussian", "rademacher", "srht", "sparse", "countsketch", "kronecker", "none"] = Field(
        "gaussian",
        description="Random map from r to m dimensions; srht, sparse and countsketch are faster for large r, kronecker "
        "is for head gradients, none keeps every dimension.",
    )
    dim: int | None = Field(
        None, ge=1, le=16384, description="Sketch size m; empty takes 4 × the effective dimension, within 32..512."
    )
    nonzeros: int | None = Field(
        None, ge=1, le=64, description="Sums that one gradient coordinate goes to in kind sparse; empty takes 8."
    )


class GradientParams(_Frozen):
    """What stands for a point when moments are matched: its gradient of the model output or of the loss."""

    kind: Literal["features", "head"] = Field(
        "features",
        description="features: the gradient of a linear probe's output, which reads no label. head: the gradient of "
        "the loss of a linear head, features times residual.",
    )
    targets: Literal["labels", "random"] = Field(
        "labels", description="head: residual at the labels, or at targets drawn from what the warm-up head predicts."
    )
    warm_up: int | None = Field(
        None,
        ge=0,
        description="head: labelled rows that train it; empty takes 10 a class or 5 %, 0 trains none (all classes "
        "equally likely) and reads no label for it.",
    )
    bias: bool = Field(False, description="head: add the gradient of the intercept as one more column.")

    @property
    def reads_labels(self) -> bool:
        """Whether any label of the pool goes into the gradients, also by way of the warm-up head."""
        return self.kind == "head" and (self.targets == "labels" or self.warm_up != 0)

    @property
    def default_sketch(self) -> Literal["gaussian", "kronecker"]:
        """Kind of sketch when none is asked for: that of a head's gradients never multiplies them out."""
        return "gaussian" if self.kind == "features" else "kronecker"


Rows = tuple[Annotated[int, Field(ge=0)], ...]


class SelectJob(_Frozen):
    """Pick `budget` points with one method."""

    kind: Literal["select"] = "select"
    method: str = "skmm"
    budget: int
    params: dict[str, Any] = Field(default_factory=dict)
    seed: int = 0
    include: Rows = Field((), description="Rows of the file to choose in any case; they count in the budget.")
    exclude: Rows = Field((), description="Rows of the file never to choose; they stay in what is to be matched.")
    labels: str | None = Field(
        None,
        description="Labels so far: a table (csv, tsv, parquet, jsonl) with an id and a label a row, and perhaps batch "
        "and state. Points with a label, or picked and waiting for one, count as covered and are in no budget.",
    )
    labels_hash: str | None = Field(
        None, pattern=r"^[0-9a-f]{16}$", description="Of what the labels said when the run was set up."
    )
    group: str | None = Field(
        None,
        description="Column whose values are groups, such as patients, scenes or videos; a row without one stands "
        "alone.",
    )
    per_group: Literal["whole"] | Annotated[int, Field(ge=1)] | None = Field(
        None,
        description="At most so many points of a group, those with a label or waiting for one among them; or whole: "
        "take groups whole, as many as fit in the budget.",
    )

    @field_validator("include", "exclude")
    @classmethod
    def _sort(cls, rows: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted(set(rows)))

    @model_validator(mode="after")
    def _group_has_a_limit(self) -> "SelectJob":
        if (self.group is None) != (self.per_group is None):
            raise ValueError("a column of groups and how many points of each (a number, or whole) go together")
        return self


TEXT_MODEL = "all-minilm-l6-v2"


class EmbedJob(_Frozen):
    """Turn the pictures, or the texts, of `dataset.source` into features."""

    kind: Literal["embed"] = "embed"
    reads: Literal["pictures", "texts"] = Field("pictures", description="What becomes features.")
    model: str = Field(
        "offline",
        description="efficientnet-lite0 or efficientnet-lite2 (trained on ImageNet, weights from a package), offline "
        "(a map of texture and colour, not trained), or a model of open_clip, torchvision or timm, such as ViT-B-32 or "
        f"torchvision:resnet18. For texts: {TEXT_MODEL} (weights from a package), or a folder with a model of "
        "sentence-transformers or model2vec.",
    )
    pretrained: str | None = Field(None, description="Weights: a tag of the model's library, or a local file.")
    architecture: str | None = Field(None, description="open_clip model config (JSON); its name is the model's.")
    pattern: Literal["utkface"] | None = Field(None, description="Take targets from file names.")
    allow_random_weights: bool = Field(False, description="Take a network without trained weights.")

    @model_validator(mode="before")
    @classmethod
    def _model_of_texts(cls, given: Any) -> Any:
        """Texts have a default model of their own."""
        return {"model": TEXT_MODEL, **given} if isinstance(given, dict) and given.get("reads") == "texts" else given


class FinetuneParams(_Frozen):
    """Score selections by finetuning a network on them: the learner `finetune`."""

    layers: Literal[1, 2] = Field(1, description="1: a head on the features. 2: also the last block of a network.")
    images: str | None = Field(None, description="Folder or archive of the pictures, for 2 layers.")
    encoder: EmbedJob | None = Field(None, description="The network whose last block is trained, for 2 layers.")
    optimiser: Literal["adam", "sgd"] = Field("adam", description="adam, or sgd with momentum 0.9.")
    rate: float = Field(1e-3, gt=0, description="Learning rate.")
    decay: float = Field(0.0, ge=0, description="Weight decay.")
    epochs: int = Field(50, ge=1, le=10_000, description="At most so many epochs.")
    batch: int = Field(64, ge=1, description="Samples a step.")
    patience: int = Field(5, ge=1, description="Epochs without a smaller validation loss before training ends.")


Learner = Literal["linear", "prototype", "kernel", "propagate", "auto", "finetune"]


class CompareJob(_Frozen):
    """Score several methods at several budgets over several seeds (0 .. seeds - 1)."""

    kind: Literal["compare"] = "compare"
    methods: tuple[str, ...]
    budgets: tuple[int, ...]
    seeds: int = Field(8, ge=1, le=1000)
    params: dict[str, dict[str, Any]] = Field(default_factory=dict, description="Params by method key.")
    learners: tuple[Learner, ...] = Field(
        (),
        description="What is trained on every selection and scored; `learners` lists all. Empty takes every one that "
        "fits the task, and finetune where its options are given.",
    )
    finetune: FinetuneParams | None = Field(None, description="Options of the learner finetune.")
    fixed_pool: bool = Field(
        False,
        description="Ask about this very pool, which all seeds share, instead of about data like these, where each "
        "seed picks from a part of its own.",
    )
    rounds: int = Field(
        1,
        ge=1,
        le=100,
        description="More than one: budgets are the points picked after each round, in which methods see the labels of "
        "the rounds before, and no others.",
    )

    @field_validator("rounds")
    @classmethod
    def _a_budget_each(cls, rounds: int, others: ValidationInfo) -> int:
        budgets = len(set(others.data.get("budgets", ())))
        if rounds > 1 and budgets != rounds:
            raise ValueError(f"{rounds} rounds go with {rounds} budgets, one a round, and there are {budgets}")
        return rounds

    @field_validator("learners")
    @classmethod
    def _once(cls, learners: tuple[Learner, ...]) -> tuple[Learner, ...]:
        return tuple(key for key in get_args(Learner) if key in learners)  # in whatever order they were typed

    @model_validator(mode="after")
    def _finetune_has_options(self) -> "CompareJob":
        if self.learners and ("finetune" in self.learners) != (self.finetune is not None):
            raise ValueError("the learner finetune and its options go together; give both or none")
        return self

    @property
    def single_learner(self) -> Learner:
        """What scored all selections of a comparison of versions that had one learner for all."""
        return "linear" if self.finetune is None else "finetune"


class EstimateJob(_Frozen):
    """Say what the labels so far are worth, and predict labels for all rows without one."""

    kind: Literal["estimate"] = "estimate"
    labels: str | None = Field(
        None,
        description="Labels so far: a table with an id and a label a row, and perhaps batch and state. Those of a "
        "partly labelled file count besides; the table wins.",
    )
    labels_hash: str | None = Field(
        None, pattern=r"^[0-9a-f]{16}$", description="Of what the labels said when the run was set up."
    )
    learner: Literal["linear", "prototype", "propagate", "auto"] = Field("auto", description="What is trained on them.")
    more: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        (50, 100, 200), description="How many more labels to look ahead."
    )
    wanted: float | None = Field(
        None, description="Wanted score: accuracy in 0..1 for classes, mean absolute error for numbers."
    )
    price: float = Field(0.0, ge=0, description="Money for the label of one point.")
    hours_per_thousand: float = Field(0.0, ge=0, description="Hours that 1,000 labels take.")
    currency: str = Field("€", max_length=8, description="Sign of the money.")
    curve: bool = Field(True, description="Measure the learning curve; nothing is said of more labels without it.")
    seed: int = Field(0, ge=0, description="Of folds and draws.")


class PaperJob(_Frozen):
    """Repeat an experiment of the paper; what is left empty is as there."""

    kind: Literal["paper"] = "paper"
    experiment: Literal["gmm", "utkface", "stanford-cars", "cifar10"]
    methods: tuple[str, ...] = Field((), description="Rows of the table; empty takes all.")
    budgets: tuple[int, ...] = Field((), description="Numbers of points; empty takes those of the paper.")
    seeds: int = Field(8, ge=1, le=1000, description="Seeds of the selection.")
    data_seeds: int = Field(3, ge=1, le=1000, description="gmm: how many mixtures are drawn.")
    finetune: tuple[int, ...] = Field((), description="Images: finetune the last 1 and/or 2 layers too.")
    model: str = Field("ViT-B-32", description="Images: model of open_clip that makes the features.")
    pretrained: str | None = Field(None, description="Images: weights, a tag of open_clip or a local file.")
    architecture: str | None = Field(None, description="Images: open_clip model config (JSON).")


class RunConfig(_Frozen):
    """Everything that decides the result of a run, and where it runs."""

    dataset: DatasetConfig
    job: Annotated[SelectJob | CompareJob | EmbedJob | EstimateJob | PaperJob, Field(discriminator="kind")]
    sketch: SketchParams = SketchParams()
    gradient: GradientParams = GradientParams()
    warm_up_rows: int | None = Field(
        None,
        ge=1,
        le=2**31 - 1,
        description="Labelled rows of the pool that train the head which some methods ask; empty takes 10 a class or "
        "5 %, whichever is more.",
    )
    device: str = "auto"
    cluster: str | None = Field(
        None,
        description="Ray cluster whose machines read a pool that memory cannot hold: auto (the one that this machine "
        "belongs to; without one it works alone) or the address of its head.",
    )

    @model_validator(mode="after")
    def _labels_once(self) -> "RunConfig":
        if isinstance(self.job, SelectJob) and self.job.labels is not None and self.dataset.labels is not None:
            raise ValueError("an npy file of targets and labels so far do not go together; give one of the two")
        return self

    @model_validator(mode="after")
    def _cluster_reads_for_selections(self) -> "RunConfig":
        if self.cluster is not None and not isinstance(self.job, SelectJob):
            raise ValueError("a cluster reads the rows of a selection; leave it out of other jobs")
        return self

    @classmethod
    def stored(cls, text: str | bytes) -> "RunConfig":
        """Read a config that was written to a file.

        Comparisons of versions that did not know a choice stay what they are: about one fixed pool, and scored by the
        linear probe alone, or by finetuning alone.

        Raises:
            ValidationError: it is no config.
        """
        config = cls.model_validate_json(text)
        job = config.job
        if not isinstance(job, CompareJob):
            return config
        once = {"fixed_pool": True, "learners": (job.single_learner,)}
        unsaid = {name: value for name, value in once.items() if name not in job.model_fields_set}
        return config.model_copy(update={"job": job.model_copy(update=unsaid)}) if unsaid else config
