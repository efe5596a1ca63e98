"""The core asks nothing of where it runs: no heap, no operating system, little memory."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from tests.firmware import c_pen

STRING_H = {"memcpy", "memset", "memmove", "memcmp", "strlen"}
M4 = ["-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16", "-Os"]


def undefined(nm: str, objects) -> set[str]:
    """What the objects need and none of them has."""
    listed = subprocess.run(
        [nm, *map(str, objects)], capture_output=True, text=True, check=True, timeout=60
    ).stdout
    needed = set(re.findall(r" U _?(\w+)", listed))
    return needed - set(re.findall(r"[0-9a-f]+ [TtDdBbRrCS] _?(\w+)", listed))


def compiled(compiler: str, folder, *options: str):
    command = [compiler, *c_pen.STRICT, *options, "-c", *map(str, c_pen.CORE)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return sorted(folder.glob("*.o"))


def test_the_core_needs_four_functions_of_the_c_library_and_nothing_else(tmp_path):
    compiler = c_pen.compiler()
    if shutil.which("nm") is None:
        c_pen.skip("no `nm` on this machine: what the core needs is not listed")
    objects = compiled(
        compiler, tmp_path, "-Os", "-ffreestanding", "-fno-stack-protector", "-U_FORTIFY_SOURCE"
    )
    assert undefined("nm", objects) <= STRING_H | {"GLOBAL_OFFSET_TABLE_"}


@pytest.mark.parametrize(
    "define", [[], ["-DPEN_QUEUE_FRAMES=8u", "-DPEN_CAL_BYTES=1024u", "-DPEN_MAX_CHANNELS=13u"]]
)
def test_the_core_fits_a_cortex_m4(tmp_path, define):
    if shutil.which("arm-none-eabi-gcc") is None:
        c_pen.skip("no arm-none-eabi-gcc on this machine: the core is not compiled for a Cortex-M4")
    objects = compiled("arm-none-eabi-gcc", tmp_path, *M4, *define)
    assert undefined("arm-none-eabi-nm", objects) <= STRING_H
    memory = c_pen.FIRMWARE / "boards" / "memory.c"
    core = f"-I{c_pen.FIRMWARE / 'core'}"
    subprocess.run(
        ["arm-none-eabi-gcc", *M4, *define, core, "-c", str(memory), "-o", "memory.o"],
        cwd=tmp_path,
        check=True,
    )
    sizes = ["arm-none-eabi-size", "-t", *map(str, objects), "memory.o"]
    total = subprocess.run(
        sizes, cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout.splitlines()[-1]
    text, _, bss = map(int, total.split()[:3])
    print(f"cortex-m4: {text} bytes of code and constants, {bss} bytes of memory {' '.join(define)}")
    assert text < 6_000
    assert bss < (12_000 if define else 22_000)
