"""Draw every page below `reports/` on one sheet per format: `make contact-sheet`.

HTML pages are opened in an installed Chromium, PDF pages drawn by pypdfium2. The sheets are `docs/contact-sheet-html.png` and
`docs/contact-sheet-pdf.png`, the README's picture `docs/training-grants-page.png`; single pages lie in the folder that is printed
at the end.
"""

from __future__ import annotations

import argparse
import io
import math
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

ROOT = Path(__file__).resolve().parent.parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
WINDOW = (900, 1272)  # the proportions of A4
TILE_WIDTHS = (360, 300, 240, 200, 160, 120)
LARGEST_BYTES = 1_500_000
GAP = 10
README_PAGE = "training_grants-log_scrap.observed.en.html"
README_HEIGHT = 1900
"""What the README shows: the claim and the first figure."""


def html_pages(files: Sequence[Path]) -> Iterator[tuple[str, Image]]:
    """Each page as long as it is, cut into sheets of A4's proportions; simulated and observed pages alike, in light colours."""
    from PIL import Image as images
    from playwright.sync_api import sync_playwright

    browser_path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser_path is None:
        raise SystemExit("contact-sheet: no Chromium was found; install one, or pass --only pdf")
    with sync_playwright() as playwright:
        # Chromium refuses its sandbox to root, as whom containers run.
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        for file in files:
            page = browser.new_page(viewport={"width": WINDOW[0], "height": WINDOW[1]}, color_scheme="light")
            page.goto(file.as_uri())
            whole = images.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB")
            for n, top in enumerate(range(0, whole.height, WINDOW[1]), start=1):
                sheet = images.new("RGB", (whole.width, WINDOW[1]), "white")
                sheet.paste(whole.crop((0, top, whole.width, min(whole.height, top + WINDOW[1]))), (0, 0))
                yield f"{file.name}.{n}", sheet
            if file.name == README_PAGE and "release" in file.parts:
                save_readme_picture(whole)
            page.close()
        browser.close()


def save_readme_picture(whole: Image) -> None:
    """The top of the training-grants page."""
    picture = whole.crop((0, 0, whole.width, min(whole.height, README_HEIGHT)))
    picture.quantize(colors=64).save(ROOT / "docs" / "training-grants-page.png", optimize=True)


def pdf_pages(files: Sequence[Path]) -> Iterator[tuple[str, Image]]:
    """Every page of every PDF."""
    import pypdfium2

    for file in files:
        document = pypdfium2.PdfDocument(file)
        for n, page in enumerate(document, start=1):
            yield f"{file.name}.{n}", page.render(scale=1.5).to_pil().convert("RGB")


def contact_sheet(tiles: Sequence[Image], width: int) -> Image:
    """The tiles side by side, as many columns as make the sheet about square."""
    from PIL import Image as images

    small = [tile.resize((width, round(tile.height * width / tile.width)), images.Resampling.LANCZOS) for tile in tiles]
    height = max(tile.height for tile in small)
    columns = max(1, round(math.sqrt(len(small) * (height + GAP) / (width + GAP))))
    rows = math.ceil(len(small) / columns)
    sheet = images.new("RGB", (columns * (width + GAP) + GAP, rows * (height + GAP) + GAP), "#8a939c")
    for n, tile in enumerate(small):
        sheet.paste(tile, (GAP + n % columns * (width + GAP), GAP + n // columns * (height + GAP)))
    return sheet


def write_sheet(tiles: Sequence[Image], target: Path) -> int:
    """Write the widest tiles that keep the file small; returns its bytes."""
    content = b""
    for width in TILE_WIDTHS:
        buffer = io.BytesIO()
        # A palette is enough for pages of text and makes the file a third as large.
        contact_sheet(tiles, width).quantize(colors=64).save(buffer, format="PNG", optimize=True)
        content = buffer.getvalue()
        if len(content) <= LARGEST_BYTES:
            break
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    return len(content)


def main(arguments: Sequence[str]) -> int:
    """Draw the sheets."""
    parser = argparse.ArgumentParser(description="Draw every page of the report on one sheet per format.")
    parser.add_argument("--reports", type=Path, default=ROOT / "reports")
    parser.add_argument("--out", type=Path, default=ROOT / "docs")
    parser.add_argument("--only", choices=("html", "pdf"))
    chosen = parser.parse_args(arguments)
    if not chosen.reports.is_dir():
        raise SystemExit("contact-sheet: there is no report yet; run `make report` first")
    pages = Path(tempfile.mkdtemp(prefix="contact-sheet-"))
    for form, draw in (("html", html_pages), ("pdf", pdf_pages)):
        files = sorted(chosen.reports.resolve().rglob(f"*.{form}"))
        if not files or chosen.only not in (None, form):
            continue
        tiles = []
        for name, tile in draw(files):
            tile.save(pages / f"{name}.png")
            tiles.append(tile)
        size = write_sheet(tiles, chosen.out / f"contact-sheet-{form}.png")
        print(f"{len(files)} {form} files, {len(tiles)} pages: contact-sheet-{form}.png, {size / 1000:.0f} kB")
    print(f"single pages: {pages}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
