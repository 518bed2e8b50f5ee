"""A researcher opens JupyterLab, runs a notebook, changes a parameter and runs it again; another one fills in the form."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sme_eval.runs.keys import notebook_path

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]
START_SECONDS = 120
RUN_MILLISECONDS = 180_000
FORM = 'import sme_eval as sme\n\nsme.parameter_form("certification", "en")'
HEADLINE = re.compile(r"CallawaySantAnna, \w+\s+([+-]\d\.\d{4})")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project folder with a copy of the notebook."""
    folder = tmp_path_factory.mktemp("laboratory")
    (folder / "data").mkdir()
    (folder / "notebooks").mkdir()
    shutil.copy(notebook_path("training_grants"), folder / "notebooks")
    cell = {"cell_type": "code", "id": "form", "metadata": {}, "execution_count": None, "outputs": [], "source": FORM}
    kernel = {"kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}}
    notebook = {"cells": [cell], "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    (folder / "notebooks" / "form.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def laboratory(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a JupyterLab that serves `project` on this machine only, with settings of its own."""
    scratch = tmp_path_factory.mktemp("jupyter")
    settings = scratch / "settings" / "@jupyterlab" / "notebook-extension" / "tracker.jupyterlab-settings"
    settings.parent.mkdir(parents=True)
    # Otherwise cells outside the window are not in the page.
    settings.write_text(json.dumps({"windowingMode": "none"}), encoding="utf-8")
    folders = {
        name: str(scratch / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    }
    environment = {**os.environ, **folders, "JUPYTERLAB_SETTINGS_DIR": str(scratch / "settings"), "HOME": str(scratch)}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0"]
    options += ["--IdentityProvider.token=", "--ServerApp.password=", f"--ServerApp.root_dir={project}"]
    options += ["--LabApp.news_url=", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    with (scratch / "log").open("w", encoding="utf-8") as log:
        server = subprocess.Popen([sys.executable, "-m", "jupyterlab", *options], stdout=log, stderr=log, env=environment)
    try:
        wait_for(f"http://127.0.0.1:{port}/api/status", server, scratch / "log")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(30)


def wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(2 * START_SECONDS):
        assert server.poll() is None, log.read_text(encoding="utf-8")
        try:
            urllib.request.urlopen(address, timeout=2).close()
        except OSError:
            time.sleep(0.5)
        else:
            return
    raise AssertionError(log.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def page(browser: Browser, laboratory: str) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{laboratory}/lab/tree/notebooks/training_grants.ipynb", timeout=90_000)
    # The execution indicator is unreliable here; the status bar's words are not.
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=90_000)
    yield page
    page.close()


def run_all(page: Page) -> None:
    page.locator('.lm-MenuBar-itemLabel:text-is("Run")').click()
    page.locator('.lm-Menu-itemLabel:text-is("Run All Cells")').click()


def cell(page: Page, text: str) -> Locator:
    """The code cell that holds `text`."""
    return page.locator(".jp-CodeCell").filter(has=page.locator(".jp-InputArea-editor", has_text=text))


def headline(page: Page) -> str:
    """The printed estimate."""
    output = cell(page, "sme.evaluate(design, panel)").locator(".jp-OutputArea-output")
    found = HEADLINE.search(output.first.inner_text())
    assert found is not None
    return found[1]


def test_a_notebook_runs_and_follows_its_parameters(page: Page, project: Path, tmp_path: Path) -> None:
    record = project / "reports" / "internal" / "training_grants-log_scrap.observed" / "evaluation.json"
    last = cell(page, "sme.write_record").locator(".jp-OutputArea-output", has_text="evaluation.json")
    run_all(page)
    last.wait_for(timeout=RUN_MILLISECONDS)
    picture = cell(page, "sme.plot_event_study").locator(".jp-OutputArea-output img")
    picture.scroll_into_view_if_needed()
    box = picture.bounding_box()
    assert box is not None and box["width"] > 300 and box["height"] > 100
    page.screenshot(path=tmp_path / "jupyterlab.png")
    assert (
        page.locator('[data-mime-type="application/vnd.jupyter.stderr"], [data-mime-type="application/vnd.jupyter.error"]').count()
        == 0
    )
    first, before = headline(page), json.loads(record.read_text(encoding="utf-8"))
    assert first == f"{before['headline']['estimate']:+.4f}"

    editor = cell(page, 'outcome = "log_scrap"').locator(".cm-content")
    text = editor.inner_text()
    editor.click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(text.replace('"never_treated"', '"not_yet_treated"'))
    record.unlink()
    page.evaluate("document.querySelectorAll('.jp-OutputArea-output').forEach(output => output.classList.add('of-the-first-run'))")
    run_all(page)
    last.and_(page.locator(":not(.of-the-first-run)")).wait_for(timeout=RUN_MILLISECONDS)
    after = json.loads(record.read_text(encoding="utf-8"))
    assert after["design"]["comparison"] == "not_yet_treated"
    assert headline(page) == f"{after['headline']['estimate']:+.4f}" != first


def test_the_form_refuses_in_words(browser: Browser, laboratory: str, tmp_path: Path) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.goto(f"{laboratory}/lab/tree/notebooks/form.ipynb", timeout=90_000)
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=90_000)
    run_all(page)
    form = page.locator(".jp-OutputArea-output .widget-vbox").first
    form.get_by_text("Ready to run.").wait_for(timeout=60_000)
    field = form.get_by_label("repetitions")
    field.fill("5")
    field.press("Tab")
    form.get_by_role("alert").get_by_text("write 0 or a whole number from 20 to 10000").wait_for(timeout=30_000)
    run = form.get_by_role("button", name="Run")
    assert run.is_disabled()
    page.screenshot(path=tmp_path / "form.png")
    field.fill("0")
    field.press("Tab")
    form.get_by_text("Ready to run.").wait_for(timeout=30_000)
    assert run.is_enabled()
    page.close()
