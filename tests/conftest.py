"""What many tests share: the real models and the real articles, loaded once. Shared things are only read."""

from __future__ import annotations

from pathlib import Path

import pytest

from qa import pipeline as pipeline_module
from qa.articles import find_files, read_file
from qa.encoder import Encoder, load_encoder
from qa.pipeline import open_index
from qa.reader import Reader
from qa.types import Article

SEEDS = Path(__file__).resolve().parent.parent / "seeds"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The browser's tests last: its loop runs in this thread from then on, and ``asyncio.run`` wants none there."""
    items.sort(key=lambda item: item.path.parent.name == "browser")


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    """The default encoder."""
    return load_encoder()


@pytest.fixture(scope="session")
def reader() -> Reader:
    """The shipped reader."""
    return Reader()


@pytest.fixture(scope="session")
def seeds() -> list[Article]:
    """The two articles of ``seeds/``, in order."""
    return [read_file(found.path, source=found.source) for found in find_files([SEEDS])]


@pytest.fixture
def loaded_models(monkeypatch: pytest.MonkeyPatch, encoder: Encoder, reader: Reader) -> None:
    """Whatever opens an index in this process finds the default models loaded: a second less each time."""
    load = pipeline_module.load_encoder
    monkeypatch.setattr(
        pipeline_module, "load_encoder", lambda name=None: encoder if name is None else load(name)
    )
    monkeypatch.setattr(pipeline_module, "Reader", lambda name=None: reader if name is None else Reader(name))


@pytest.fixture(scope="session")
def pipeline(tmp_path_factory: pytest.TempPathFactory, seeds: list[Article]):
    """An index of the seeds; read-only by convention."""
    with open_index(tmp_path_factory.mktemp("seeds") / "index", create=True) as opened:
        opened.add(seeds)
        yield opened
