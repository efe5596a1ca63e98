"""What several parts share: the toy recogniser, exported once a process; lines for the soak report."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # two workers of two threads each would wait for each other

import pytest


@pytest.fixture(scope="session")
def toy_model(tmp_path_factory):
    """The folder of a tiny artefact with random weights; tests must not write into it."""
    pytest.importorskip("torch", reason="the toy recogniser is exported by the trainer (extra `train`)")
    from tests.training.toy_training import toy_artefact

    return toy_artefact(tmp_path_factory.mktemp("toy") / "toy-model")


@pytest.fixture
def report(record_property):
    """report(line): what a campaign measured; printed below the results and kept in docs/soak.md."""
    return lambda line: record_property("campaign", line)


def pytest_terminal_summary(terminalreporter):
    lines = [
        line
        for found in terminalreporter.stats.get("passed", []) + terminalreporter.stats.get("failed", [])
        if found.when == "call"
        for name, line in found.user_properties
        if name == "campaign"
    ]
    if lines:
        terminalreporter.section("campaigns")
        terminalreporter.write_line("\n".join(sorted(lines)))
