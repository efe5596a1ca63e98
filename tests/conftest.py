"""What several parts share: the toy recogniser, exported once a process."""

import pytest


@pytest.fixture(scope="session")
def toy_model(tmp_path_factory):
    """The folder of a tiny artefact with random weights; tests must not write into it."""
    pytest.importorskip("torch", reason="the toy recogniser is exported by the trainer (extra `train`)")
    from tests.training.toy_training import toy_artefact

    return toy_artefact(tmp_path_factory.mktemp("toy") / "toy-model")
