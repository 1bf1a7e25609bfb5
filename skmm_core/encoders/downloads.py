"""Fetching published weights: quietly, and without a long wait where there is no network."""

import contextlib
import io
import logging
import socket
import threading
import urllib.request
from collections.abc import Iterator
from urllib.parse import urlsplit

from skmm_core.errors import InputError

_PATIENCE = 3.0  # seconds for an answer of the server


@contextlib.contextmanager
def fetching(name: str, tag: str) -> Iterator[None]:
    """Let a library fetch weights by tag, from its own cache or the network.

    Raises:
        InputError: whatever goes wrong inside; the line names the two ways out.
    """
    try:
        with quietly():
            yield
    except Exception as error:  # the errors of several network libraries
        raise InputError(
            f"the weights {tag!r} of {name} are not on this machine and could not be downloaded "
            f"({type(error).__name__}); give a local file (--pretrained FILE), or use --model offline"
        ) from None


@contextlib.contextmanager
def quietly(*, local: bool = False) -> Iterator[None]:
    """Keep log lines and progress bars of libraries off the terminal, and Hugging Face from waiting for a network.

    Without a network its client would try again for most of a minute; here it is told to look into its cache only.

    Args:
        local: whether the network is not to be used even where there is one.
    """
    from huggingface_hub import constants

    handler, level, offline = logging.NullHandler(), logging.root.manager.disable, constants.HF_HUB_OFFLINE
    logging.root.addHandler(handler)  # with no handler at all, logging would install one for good
    logging.disable(logging.CRITICAL)
    constants.HF_HUB_OFFLINE = offline or local or not _answers(constants.ENDPOINT)
    try:
        with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        constants.HF_HUB_OFFLINE = offline
        logging.disable(level)
        logging.root.removeHandler(handler)


def _answers(address: str) -> bool:
    """Whether a server can be reached; behind a proxy only trying tells."""
    if urllib.request.getproxies():
        return True
    parts, found = urlsplit(address), threading.Event()

    def ask() -> None:
        with (
            contextlib.suppress(OSError),
            socket.create_connection((parts.hostname or "", parts.port or 443), timeout=_PATIENCE),
        ):
            found.set()

    # in a thread: looking up the name has no time limit of its own, and takes half a minute where nothing answers
    thread = threading.Thread(target=ask, name="network", daemon=True)
    thread.start()
    thread.join(_PATIENCE)
    return found.is_set()
