"""Commands that compute: select, compare, run."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from skmm_core.cli import options as flags
from skmm_core.cli.console import ConsoleReport, show_json
from skmm_core.cli.pool_flags import PoolFlags, with_pool_flags
from skmm_core.cli.summary import summary_of
from skmm_core.comparison import ROUNDS_HELP, round_budgets
from skmm_core.config import CompareJob, RunConfig, SelectJob
from skmm_core.data import check_budgets, check_source, read_rows
from skmm_core.errors import InputError
from skmm_core.runs import (
    CARD,
    COMPARE_STATE,
    CONFIG,
    LABELS_CSV,
    LOG,
    SCORES_CSV,
    clear_results,
    read_config,
    read_result,
    write_config,
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("select")(select)
    app.command("compare")(compare)
    app.command("run")(run)


@with_pool_flags
def select(
    *,
    dataset: flags.Source,
    budget: Annotated[int, typer.Option("--budget", help="New points to pick, 1..N.")],
    out: flags.Out,
    method: Annotated[str, typer.Option("--method", help="Registry key; `methods` lists all.")] = "skmm",
    pool: PoolFlags,
    c_s: Annotated[str | None, typer.Option("--c-s", help="Short for --param c_s=…; a number, or auto.")] = None,
    rounding: Annotated[str | None, typer.Option("--rounding", help="Short for --param rounding=…")] = None,
    param: flags.Param = None,
    seed: flags.Seed = 0,
    include: flags.Include = None,
    exclude: flags.Exclude = None,
    group: flags.Group = None,
    per_group: flags.PerGroup = None,
    device: flags.Device = "auto",
    cluster: flags.Cluster = None,
    json_: flags.Json = False,
    quiet: flags.Quiet = False,
) -> None:
    """Pick points of a dataset with one method."""
    params = flags.split_params(param)
    shortcuts = (("c_s", c_s), ("rounding", rounding))
    params |= {key: flags.scalar(value) for key, value in shortcuts if value is not None}
    pool, labels = pool.without_table_of_labels()
    config = pool.config(
        dataset,
        {
            "kind": "select",
            "method": method,
            "budget": budget,
            "params": params,
            "seed": seed,
            "include": read_rows("--include", include or ""),
            "exclude": read_rows("--exclude", exclude or ""),
            "labels": labels,
            "group": group,
            "per_group": flags.per_group(group, per_group),
        },
        device,
    ).model_copy(update={"cluster": cluster})
    prepare_and_run(out, config, json_=json_, quiet=quiet)


@with_pool_flags
def compare(
    *,
    dataset: flags.Source,
    methods: Annotated[str, typer.Option("--methods", help="Registry keys with commas between.")],
    budgets: Annotated[str, typer.Option("--budgets", help="Numbers of points with commas between.")],
    out: flags.Out,
    seeds: Annotated[int, typer.Option("--seeds", help="Number of seeds: 0 .. seeds - 1.")] = 8,
    rounds: Annotated[int, typer.Option("--rounds", help=ROUNDS_HELP)] = 1,
    pool: PoolFlags,
    param: Annotated[
        list[str] | None,
        typer.Option("--param", metavar="METHOD.KEY=VALUE", help="Option of one method; may be repeated."),
    ] = None,
    learner: flags.Learner = None,
    finetune: flags.Finetune = None,
    fixed_pool: Annotated[
        bool,
        typer.Option(
            "--fixed-pool",
            help="Ask about this very pool, which all seeds share, instead of about data like these.",
        ),
    ] = False,
    seed: Annotated[int, typer.Option("--seed", hidden=True)] = 0,
    device: flags.Device = "auto",
    json_: flags.Json = False,
    quiet: flags.Quiet = False,
) -> None:
    """Score methods at several budgets over several seeds; call it again with the same folder to continue.

    Means, intervals and verdicts are about data like these: each seed picks from a part of the pool of its own. Every
    selection is scored under all learners; tests are within each.
    """
    if seed:
        raise InputError(f"--seed {seed}: compare runs the seeds 0 .. --seeds - 1; choose how many with --seeds")
    config = pool.config(
        dataset,
        {
            "kind": "compare",
            "methods": flags.split_list("--methods", methods),
            "budgets": round_budgets(flags.split_numbers("--budgets", budgets), rounds),
            "rounds": rounds,
            "seeds": seeds,
            "params": _params_by_method(param),
            **flags.learner_options(learner, finetune),
            "fixed_pool": fixed_pool,
        },
        device,
    )
    prepare_and_run(out, config, json_=json_, quiet=quiet)


def run(
    folder: Annotated[str, typer.Argument(metavar="RUN_FOLDER", help="Folder with a config.json.")],
    json_: flags.Json = False,
    quiet: flags.Quiet = False,
) -> None:
    """Run the config of a run folder: what the dashboard starts."""
    if not Path(folder).is_dir():
        raise InputError(f"{folder} is not a folder; give a run folder, which holds a {CONFIG}")
    run_prepared(Path(folder), json_=json_, quiet=quiet)


def prepare_and_run(out: str, config: RunConfig, *, json_: bool, quiet: bool) -> None:
    """Make `--out` a run folder of this config, run it and show its result.

    Raises:
        InputError: the config asks for what cannot be; or see :func:`prepare_folder`.
    """
    folder = Path(out)
    _refuse_slips(config)
    with _nothing_left_behind(folder):
        prepare_folder(folder, config)
        run_prepared(folder, json_=json_, quiet=quiet)


def _refuse_slips(config: RunConfig) -> None:
    """Refuse what is wrong whatever the data say, before torch is loaded and results of before are cleared."""
    job = config.job
    if isinstance(job, SelectJob | CompareJob):
        check_source(config.dataset)
        check_budgets(config.dataset, (job.budget,) if isinstance(job, SelectJob) else job.budgets)


@contextlib.contextmanager
def _nothing_left_behind(folder: Path) -> Iterator[None]:
    """Take the run folder away again where what was asked for could not be begun, as with input that is not read."""
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    begun = {folder / name for name in (CONFIG, CARD, LABELS_CSV, LOG)}
    empty = not made and folder.is_dir() and not any(folder.iterdir())
    try:
        yield
    except InputError:
        if (made or empty) and folder.is_dir() and set(folder.iterdir()) <= begun:
            with contextlib.suppress(OSError):
                for path in begun:
                    path.unlink(missing_ok=True)
                for path in made:
                    path.rmdir()
        raise


def prepare_folder(folder: Path, config: RunConfig) -> None:
    """Make a folder a run folder of this config.

    Raises:
        InputError: the folder cannot be written, or holds the results of another kind of run or another comparison; or
            labels so far cannot be read.
    """
    if isinstance(config.job, SelectJob) and config.job.labels is not None:
        from skmm_core.jobs import with_labels_hash

        config = with_labels_hash(config)
    if (folder / CONFIG).exists():
        _check_reuse(folder, config)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        clear_results(folder)
        if not (folder / SCORES_CSV).exists():
            (folder / CARD).unlink(missing_ok=True)
        write_config(folder, config)
    except OSError as error:
        raise InputError(f"--out {folder} cannot be written: {error.strerror}; choose another folder") from None


def _check_reuse(folder: Path, config: RunConfig) -> None:
    """A selection may replace a selection; a comparison may only continue itself."""
    scores = (folder / SCORES_CSV).exists() or (folder / COMPARE_STATE).exists()
    if not scores and isinstance(config.job, SelectJob):
        return
    before = read_config(folder)
    if before.job.kind != config.job.kind or (scores and before != config):
        what = {"compare": "another comparison", "paper": "another experiment"}.get(before.job.kind, "a selection")
        raise InputError(f"--out {folder} holds {what}; choose another folder{_to_continue(before, config)}")


def _to_continue(before: RunConfig, config: RunConfig) -> str:
    """What to add where only the pool differs that a comparison of an earlier version had, or the learners do."""
    mine, theirs = config.job, before.job
    if not isinstance(mine, CompareJob) or not isinstance(theirs, CompareJob):
        return ""
    flags_to_add, told = [], []
    alike: dict[str, Any] = {}
    if theirs.fixed_pool and not mine.fixed_pool:
        flags_to_add.append("--fixed-pool")
        told.append("is about one fixed pool")
        alike["fixed_pool"] = True
    if mine.learners != theirs.learners:
        keys = ",".join(theirs.learners)
        flags_to_add.append(f"--learner {keys}" if keys else "no --learner")
        told.append(f"is scored under {keys} alone" if keys else "is scored under every learner that fits")
        alike["learners"] = theirs.learners
    if not alike or config.model_copy(update={"job": mine.model_copy(update=alike)}) != before:
        return ""
    return f", or continue this one, which {' and '.join(told)}, with {' '.join(flags_to_add)}"


def run_prepared(folder: Path, *, json_: bool, quiet: bool) -> None:
    """Run a folder that was prepared and show its result."""
    from skmm_core.jobs import Stop, run_folder

    report, stop = ConsoleReport(quiet=quiet), Stop(hard=True)
    try:
        with stop.on_signals():
            run_folder(folder, report, stop=stop)
    finally:
        report.close()
    result = read_result(folder)
    if json_:
        show_json(result)
    else:
        typer.echo(summary_of(result, folder))


def _params_by_method(pairs: list[str] | None) -> dict[str, dict[str, Any]]:
    params: dict[str, dict[str, Any]] = {}
    for name, value in flags.split_params(pairs).items():
        method, dot, key = name.partition(".")
        if not dot:
            raise InputError(f"--param {name}: say which method it is for, such as --param skmm.{name}=…")
        params.setdefault(method, {})[key] = value
    return params
