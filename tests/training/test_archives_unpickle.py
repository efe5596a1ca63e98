"""Pickles of strangers: numbers come out, and nothing that is in them runs."""

import io
import os
import pickle
import subprocess
from contextlib import suppress

import numpy as np
import pytest

from models.training.archives.pickled import Global
from models.training.archives.unpickle import load_npy, load_pickle
from penapp.errors import BadInputError
from tests.training.archive_toys import objects, recording

# What Python 2 and numpy 1 wrote with protocol 2 for [numpy.array([1.0, 2.0]), 'a', 7]: text in bytes.
PYTHON_2 = (
    b"\x80\x02]q\x00(cnumpy.core.multiarray\n_reconstruct\nq\x01cnumpy\nndarray\nq\x02K\x00\x85q\x03U\x01bq\x04"
    b"\x87q\x05Rq\x06(K\x01K\x02\x85q\x07cnumpy\ndtype\nq\x08U\x02f8q\tK\x00K\x01\x87q\nRq\x0b(K\x03U\x01<q\x0c"
    b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tq\rb\x89U\x10"
    b"\x00\x00\x00\x00\x00\x00\xf0?\x00\x00\x00\x00\x00\x00\x00@"
    b"q\x0etq\x0fbU\x01aq\x10K\x07e."
)


def loads(raw):
    return load_pickle(io.BytesIO(raw), "x.pkl")


def refusal(raw):
    with pytest.raises(BadInputError) as error:
        loads(raw)
    return str(error.value)


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    "content",
    [
        recording(5),
        recording(5).astype(np.float32).T,
        np.asfortranarray(recording(4)),
        np.arange(6, dtype=">i2").reshape(2, 3),
        np.array([True, False]),
        np.array(["ä", "bc"]),
        np.empty((0, 13)),
    ],
    ids=["doubles", "transposed", "fortran", "big-endian", "truths", "text", "empty"],
)
def test_arrays_come_back_in_every_pickle_protocol(content, protocol):
    found = loads(pickle.dumps([content], protocol=protocol))
    assert found[0].dtype == content.dtype
    np.testing.assert_array_equal(found[0], content)


@pytest.mark.parametrize("protocol", range(6))
def test_lists_tuples_dicts_and_numbers_come_back(protocol):
    content = [1, 2.5, "ß", None, True, (3, [4]), {"a": {5: 6}}, -(2**70)]
    assert loads(pickle.dumps(content, protocol=protocol)) == content


@pytest.mark.parametrize("protocol", range(6))
def test_numpy_numbers_become_plain_ones(protocol):
    content = [np.float64(2.5), np.int64(-3), np.str_("q"), np.bool_(True)]
    found = loads(pickle.dumps(content, protocol=protocol))
    assert found == [2.5, -3, "q", True]
    assert [type(item) for item in found] == [float, int, str, bool]


def test_object_arrays_hold_their_recordings():
    found = loads(pickle.dumps(objects([recording(3), recording(4)])))
    assert found.dtype == object
    np.testing.assert_array_equal(found[1], recording(4))


def test_a_file_of_python_2_and_the_old_numpy_is_read():
    found = loads(PYTHON_2)
    np.testing.assert_array_equal(found[0], [1.0, 2.0])
    assert found[1:] == ["a", 7]


def test_an_array_that_occurs_twice_is_made_once():
    one = recording(3)
    found = loads(pickle.dumps([one, one]))
    assert found[0] is found[1]


def with_canary(argument, canary):
    """The argument with the place of the file that must not come to be."""
    if isinstance(argument, str):
        return argument.replace("{canary!r}", repr(canary)).replace("{canary}", canary)
    return [with_canary(part, canary) for part in argument]


class Calls:
    """Pickles into a call."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    ("name", "function", "arguments"),
    [
        ("posix.system", os.system, ("touch {canary}",)),
        ("builtins.eval", eval, ("open({canary!r}, 'w')",)),
        ("builtins.exec", exec, ("open({canary!r}, 'w')",)),
        ("subprocess.Popen", subprocess.Popen, (["touch", "{canary}"],)),
        ("builtins.getattr", getattr, ("x", "upper")),
        ("numpy.save", np.save, ("{canary}", "1")),
        ("numpy.fromfile", np.fromfile, ("{canary}",)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_nothing_that_a_pickle_calls_is_run(tmp_path, name, function, arguments, protocol):
    canary = tmp_path / "ran"
    filled = [with_canary(argument, str(canary)) for argument in arguments]
    raw = pickle.dumps([recording(2), Calls(function, *filled)], protocol=protocol)
    message = refusal(raw)
    assert name.rpartition(".")[2] in message
    assert "nothing was run" in message
    assert not canary.exists()
    if function is os.system:  # the same bytes do run in Python's own reader: the canary works
        pickle.loads(raw)
        assert canary.exists()


@pytest.mark.parametrize(
    "raw",
    [
        b"cos\nsystem\n(S'true'\ntR.",
        b"c__builtin__\neval\n(S'1'\ntR.",
        b"(S'true'\nios\nsystem\n.",
        b"(cos\nsystem\nS'true'\no.",
        b"\x80\x04\x8c\x05numpy\x8c\x0bf2py.sys.exit\x93.",
        b"\x80\x04\x8c\x05numpy\x8c\x19ndarray.__class__.__mro__\x93.",
        b"cnumpy.core.multiarray\nfromfile\n(S'x'\ntR.",
        b"ccopy_reg\n_reconstructor\n(c__builtin__\nobject\nc__builtin__\nobject\nNtR.",
        b"Pos.system\n.",
        b"\x80\x02\x82\x01.",
        b"\x80\x04cnumpy\ndtype\n)\x81.",
        b"\x80\x05\x97.",
    ],
    ids=[
        "global", "python 2 eval", "inst", "obj", "dotted", "dunder", "numpy file", "reconstructor",
        "persistent id", "extension", "new object", "outside buffer",
    ],
)  # fmt: skip
def test_hand_made_pickles_are_refused(raw):
    refusal(raw)


def test_names_that_are_known_cannot_be_changed():
    """BUILD sets attributes: the reader's own functions must not be within its reach."""
    message = refusal(b"cnumpy\ndtype\n}S'__call__'\nI1\nsb.")
    assert "changes numpy.dtype" in message
    assert not hasattr(Global("x", len), "__dict__")


def array_pickle(kind, state, shape=(1,), raw=b"\x00" * 8):
    """A hand-made array whose dtype says `kind` and is then told `state`."""

    class Forged:
        def __reduce__(self):
            return np._core.multiarray._reconstruct, (np.ndarray, (0,), b"b"), (1, shape, Kind(), False, raw)

    class Kind:
        def __reduce__(self):
            return np.dtype, (kind, False, True), state

    return pickle.dumps(Forged())


def test_an_array_of_objects_cannot_be_made_of_bytes():
    """Bytes read as pointers would be a way in: numpy never sees the flags that would allow it."""
    state = (3, "|", None, None, None, -1, -1, 0)
    assert "objects" in refusal(array_pickle("O", state))


@pytest.mark.parametrize(
    ("kind", "state", "shape"),
    [
        ("f8", (3, "<", None, ("a",), {"a": 1}, 8, 8, 63), (1,)),
        ("f8", (3, "<", ("f8", (9,)), None, None, 8, 8, 0), (1,)),
        ("f8", (3, "<", None, None, None, -1, -1, 0), (1000,)),
        ("f8", (3, "<", None, None, None, -1, -1, 0), (-1,)),
        ("f8", (3, "<", None, None, None, -1, -1, 0), (2**60, 2**60)),
        ("f8,O", (3, "|", None, None, None, 16, 8, 0), (1,)),
        ("V8", (3, "|", None, None, None, 8, 1, 0), (1,)),
        ("M8[s]", (4, "<", None, None, None, -1, -1, 0), (1,)),
        ("no such type", (3, "|", None, None, None, 8, 1, 0), (1,)),
    ],
    ids=[
        "fields",
        "sub-array",
        "too few bytes",
        "negative",
        "overflow",
        "structured",
        "void",
        "dates",
        "none",
    ],
)
def test_forged_array_types_and_shapes_are_refused(kind, state, shape):
    refusal(array_pickle(kind, state, shape))


def test_the_size_that_a_forged_type_states_is_not_believed():
    state = (3, "<", None, None, None, 10**9, 1, 63)
    np.testing.assert_array_equal(loads(array_pickle("f8", state)), [0.0])


def test_a_list_that_holds_itself_is_refused():
    endless: list[object] = []
    endless.append(endless)
    assert "deep" in refusal(pickle.dumps(endless))


@pytest.mark.parametrize("content", [{1, 2}, b"bytes", 1j, object, range(3)], ids=str)
def test_what_no_recording_needs_is_refused(content):
    refusal(pickle.dumps([content]))


@pytest.mark.parametrize("keep", [0, 1, 40, 200, -1])
def test_a_truncated_pickle_is_an_error_with_the_name_of_the_file(keep):
    assert "x.pkl" in refusal(pickle.dumps([recording(9)] * 3)[:keep])


def test_a_damaged_pickle_is_an_error_or_other_numbers_but_never_anything_else():
    whole = pickle.dumps([recording(3), "a", (1, 2)], protocol=2)
    for place in range(0, len(whole), 3):
        damaged = bytearray(whole)
        damaged[place] ^= 0x15
        with suppress(BadInputError):
            loads(bytes(damaged))


def npy(array):
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


@pytest.mark.parametrize(
    "array", [recording(4), objects([recording(3), recording(5)])], ids=["plain", "objects"]
)
def test_npy_files_come_back(array):
    found = load_npy(io.BytesIO(npy(array)), "x.npy")
    assert found.shape == array.shape
    for a, b in zip(found, array, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_call_inside_an_npy_file_is_refused(tmp_path):
    canary = tmp_path / "ran"
    raw = npy(objects([Calls(os.system, f"touch {canary}")]))
    with pytest.raises(BadInputError, match=r"x\.npy was refused.*system"):
        load_npy(io.BytesIO(raw), "x.npy")
    assert not canary.exists()


@pytest.mark.parametrize("keep", [0, 5, 60, 200, -1])
@pytest.mark.parametrize("array", [recording(9), objects([recording(3)] * 4)], ids=["plain", "objects"])
def test_a_truncated_npy_file_is_named(array, keep):
    with pytest.raises(BadInputError, match=r"x\.npy"):
        load_npy(io.BytesIO(npy(array)[:keep]), "x.npy")


def test_an_npy_file_that_holds_fewer_objects_than_it_says_is_an_error():
    raw = npy(objects([1, 2, 3])).replace(b"(3,)", b"(4,)")
    with pytest.raises(BadInputError, match=r"x\.npy"):
        load_npy(io.BytesIO(raw), "x.npy")
