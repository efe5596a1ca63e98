"""Each C program is built once for a run of the tests."""

import pytest

from tests.firmware import c_pen


@pytest.fixture(scope="session")
def core_library(tmp_path_factory):
    """The core behind flat functions, loaded."""
    driver = c_pen.FIRMWARE.parents[1] / "tests" / "firmware" / "pen_driver.c"
    folder = tmp_path_factory.mktemp("core")
    shared = ["-O1", "-fPIC", "-shared", "-Wno-missing-prototypes"]
    return c_pen.load(c_pen.build(folder / "libpen.so", [*c_pen.CORE, driver], *shared))


@pytest.fixture(scope="session")
def pen_sim(tmp_path_factory):
    """The program, with the sanitizers: what it does wrong ends it."""
    return c_pen.build(
        tmp_path_factory.mktemp("sim") / "pen_sim", [*c_pen.CORE, *c_pen.PEN_SIM], *c_pen.SANITIZERS
    )


@pytest.fixture(scope="session")
def pen_fuzz(tmp_path_factory):
    return c_pen.build(
        tmp_path_factory.mktemp("fuzz") / "pen_fuzz", [*c_pen.CORE, *c_pen.PEN_FUZZ], "-O1", *c_pen.SANITIZERS
    )


@pytest.fixture
def c_pen_of(core_library):
    """Pens, given back at the end."""
    made = []

    def make(**options):
        made.append(c_pen.CPen(core_library, **options))
        return made[-1]

    yield make
    for pen in made:
        pen.close()
