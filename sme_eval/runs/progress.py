"""One progress bar over the steps of one or more workers, with the time that is left; silent where nobody watches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

BAR: Final = "{desc} {percentage:3.0f}% |{bar}| {n_fmt} of {total_fmt} steps, {elapsed} gone, {remaining} left"


@contextmanager
def progress_bar(description: str, steps: int) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """A listener that moves the bar at every message "advance", names each "step" before it, and redraws at every other."""
    from tqdm import tqdm

    with tqdm(total=steps, desc=description, bar_format=BAR, disable=None, leave=False) as bar:

        def listen(message: Mapping[str, Any]) -> None:
            if message.get("event") == "advance":
                bar.update()
            elif message.get("event") == "step":
                bar.set_description(f"{description}: {message.get('name', '')}")
            else:
                bar.refresh()

        yield listen
