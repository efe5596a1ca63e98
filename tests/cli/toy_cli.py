"""The command line with the toy pen and the toy pipeline in place of the simulator and the network."""

import sys
from types import SimpleNamespace

from tests.device.toy_pens import ToyInk, ToyPipeline

WORDS = "penapp"


def toy_modules(words=WORDS, **ink):
    return {
        "penapp.pipeline": SimpleNamespace(default_pipeline=ToyPipeline),
        "penapp.simulation.sources": SimpleNamespace(DemoSource=lambda **_: ToyInk(words, **ink)),
    }


if __name__ == "__main__":
    sys.modules.update(toy_modules(endless=True))
    from penapp.cli.run_cli import run_cli

    sys.exit(run_cli(sys.argv[1:]))
