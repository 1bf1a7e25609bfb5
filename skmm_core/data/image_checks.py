"""Every picture of a set decoded once, side by side: which can be used, at which depth, and what is said of it."""

import os
import warnings
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from PIL import Image

from skmm_core.data.picture_depth import DEPTHS
from skmm_core.data.picture_file import Checked, Unusable, check_picture
from skmm_core.data.skipped import Skipped, clean_name, counted
from skmm_core.progress import Progress, Report

_AHEAD = 64


def check_files(
    files: dict[str, Path], skipped: list[Skipped], report: Report, depth: int | None = None
) -> dict[str, Checked]:
    """Decode every file once, in threads.

    Args:
        files: by name.
        skipped: files that cannot be used are added here, with the reason.
        report: told of each file.
        depth: bits at which values of more than 8 bits are read, or None for those that each picture uses.

    Returns:
        Usable pictures by name, in the order of `files`.
    """
    found: dict[str, Checked] = {}
    items = iter(files.items())
    # Threads share the filters: a picture so large that Pillow warns of it is an error of that picture.
    with warnings.catch_warnings(), ThreadPoolExecutor(min(4, os.cpu_count() or 1), "check") as pool:
        warnings.simplefilter("ignore", UserWarning)  # of damaged tags, which harm nothing
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        waiting: list[tuple[str, Future[Checked]]] = []

        def refill() -> None:
            for name, path in islice(items, _AHEAD - len(waiting)):
                waiting.append((name, pool.submit(check_picture, path, depth)))

        try:
            refill()
            done = 0
            while waiting:
                name, future = waiting.pop(0)
                report(Progress("Checking pictures", done, len(files)))
                done += 1
                try:
                    found[name] = future.result()
                except Unusable as error:
                    skipped.append(Skipped(clean_name(name), str(error)))
                refill()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return found


def at_one_depth(
    kept: dict[str, Checked], files: dict[str, Path], depth: int | None, report: Report
) -> dict[str, Checked]:
    """The pictures with thumbnails at the depth of the set, which is known only when all have been looked at.

    Args:
        kept: pictures by name.
        files: where they are.
        depth: bits of the brightest, or None where no picture has more than 8.
        report: told of those that are decoded once more.
    """
    darker = {name: files[name] for name, each in kept.items() if each.depth not in (None, depth)}
    return kept | check_files(darker, [], report, depth)


def reading_notes(kept: dict[str, Checked], depth: int | None) -> Iterator[str]:
    """How files were read that hold more than one picture of 8 bits."""
    several = [name for name, each in kept.items() if each.more_frames]
    if several:
        how_many = counted(len(several), "file holds", "files hold")
        yield f"{how_many} several pictures, as {clean_name(several[0])}: the first is read."
    wide = [each.depth for each in kept.values() if each.depth is not None]
    if depth is not None and depth < DEPTHS[-1]:
        how_many = counted(len(wide), "file has", "files have")
        yield f"{how_many} room for more bits than the values use: read as {depth} bits, white at {(1 << depth) - 1:,}."
    dark = sum(own < depth - 2 for own in wide) if depth is not None else 0
    if dark:
        yield (
            f"{counted(dark, 'picture uses', 'pictures use')} far fewer bits than the {depth} of the brightest: dark, "
            "since all are read at one scale. What comes from another camera is better given alone."
        )
