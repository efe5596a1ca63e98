"""LSL on this machine alone: the configuration must stand before the library is used for the first time."""

import os
import uuid

import pytest

CONFIG = "[multicast]\nResolveScope = machine\n[lab]\nKnownPeers = {127.0.0.1}\n[log]\nlevel = -2\n"


@pytest.fixture(scope="session")
def pylsl(tmp_path_factory):
    pytest.importorskip("pylsl", reason="pylsl is not installed (extra `lsl`)")
    path = tmp_path_factory.mktemp("lsl") / "lsl_api.cfg"
    path.write_text(CONFIG)
    os.environ["LSLAPICFG"] = str(path)
    from penapp.lsl.library import load_pylsl

    return load_pylsl()


@pytest.fixture
def stream_name():
    """Other test processes have streams on this machine too."""
    return f"penapp-test-{uuid.uuid4().hex[:12]}"
