"""Who reads the rows of a run: this machine, or those of a cluster."""

from skmm_core.blocks import HERE, Workers
from skmm_core.config import RunConfig
from skmm_core.errors import InputError


def workers_of(config: RunConfig) -> tuple[Workers, tuple[str, ...]]:
    """Who reads the rows, and what a person should know of it.

    Raises:
        InputError: the cluster that is named does not answer, or Ray is not installed.
    """
    if config.cluster is None:
        return HERE, ()
    from skmm_core.blocks import ClusterWorkers

    try:
        workers = ClusterWorkers(config.cluster)
    except InputError as error:
        if config.cluster != "auto":
            raise
        return HERE, (f"This machine worked alone: {error}.",)
    return workers, (f"Read by a cluster of {workers.described}.",)
