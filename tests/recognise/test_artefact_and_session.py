"""The artefact on disk: whole and fitting, or refused with both sides named; and what it really runs on."""

import json
import shutil
from dataclasses import replace

import numpy as np
import onnxruntime
import pytest

from penapp.dsp.features import Features
from penapp.dsp.params import DEFAULT_PARAMS, FeatureParams
from penapp.errors import BadInputError, ModelMismatchError
from penapp.recognise import session
from penapp.recognise.artefact import file_hash, read_manifest
from penapp.recognise.session import MIN_ROWS, PROVIDERS, OnnxRecogniser, ProviderReport


@pytest.fixture
def folder(toy_model, tmp_path):
    """A copy that a test may spoil."""
    return shutil.copytree(toy_model, tmp_path / "model")


def change(folder, **values):
    path = folder / "manifest.json"
    table = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**table, **values}), encoding="utf-8")
    return table


def features(rows, params=DEFAULT_PARAMS, seed=1):
    values = np.random.default_rng(seed).standard_normal((rows, params.size)).astype(np.float32)
    return Features(10.0 + np.arange(rows) / 100.0, values, params.fingerprint())


def test_the_manifest_comes_back_as_it_was_written(toy_model, tmp_path):
    manifest = read_manifest(toy_model)
    manifest.write(tmp_path)
    shutil.copy(toy_model / "model.onnx", tmp_path)
    assert read_manifest(tmp_path) == manifest


def test_a_changed_model_file_is_refused_with_both_hashes(folder):
    expected = file_hash(folder / "model.onnx")
    with (folder / "model.onnx").open("ab") as file:
        file.write(b"\x00")
    found = file_hash(folder / "model.onnx")
    with pytest.raises(ModelMismatchError) as error:
        OnnxRecogniser(folder)
    assert expected[:12] in str(error.value)
    assert found[:12] in str(error.value)
    assert "Reinstall" in error.value.advice or "reinstall" in error.value.advice


def test_a_changed_fingerprint_is_refused_with_both_named(folder):
    change(folder, fingerprint="0123456789abcdef")
    with pytest.raises(ModelMismatchError) as error:
        OnnxRecogniser(folder)
    assert "0123456789abcdef" in str(error.value)
    assert DEFAULT_PARAMS.fingerprint() in str(error.value)


def test_changed_parameters_are_refused_with_both_fingerprints(folder):
    params = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["params"]
    change(folder, params={**params, "highpass_hz": 0.7})
    with pytest.raises(ModelMismatchError) as error:
        OnnxRecogniser(folder)
    assert DEFAULT_PARAMS.fingerprint() in str(error.value)
    assert replace(DEFAULT_PARAMS, highpass_hz=0.7).fingerprint() in str(error.value)


def test_a_model_of_an_older_feature_code_is_refused(folder):
    """Consistent in itself, but this build's stages mean something else by the same numbers."""
    older = replace(DEFAULT_PARAMS, version=DEFAULT_PARAMS.version - 1)
    params = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["params"]
    change(folder, params={**params, "version": older.version}, fingerprint=older.fingerprint())
    with pytest.raises(ModelMismatchError) as error:
        OnnxRecogniser(folder)
    assert older.fingerprint() in str(error.value)
    assert DEFAULT_PARAMS.fingerprint() in str(error.value)


@pytest.mark.parametrize(
    "text",
    ["", "not json", "[]", "{}", '{"params": 3}', "null", '{"params": {"scales": 3}}', "\x00\x01"],
)
def test_a_manifest_that_is_none_is_named(folder, text):
    (folder / "manifest.json").write_text(text, encoding="utf-8")
    with pytest.raises(BadInputError, match=r"manifest\.json is not a recogniser manifest"):
        OnnxRecogniser(folder)


def test_a_manifest_in_another_encoding_is_named(folder):
    (folder / "manifest.json").write_bytes("ÄÖÜ".encode("utf-16"))
    with pytest.raises(BadInputError, match="is not a recogniser manifest"):
        OnnxRecogniser(folder)


@pytest.mark.parametrize("key", ["name", "alphabet", "params", "fingerprint", "stride", "sha256"])
def test_a_manifest_that_lacks_something_is_refused(folder, key):
    table = change(folder)
    del table[key]
    (folder / "manifest.json").write_text(json.dumps(table), encoding="utf-8")
    with pytest.raises(BadInputError, match=key):
        OnnxRecogniser(folder)


def test_missing_files_are_named(folder, tmp_path):
    (folder / "model.onnx").unlink()
    with pytest.raises(BadInputError, match=r"model\.onnx is missing"):
        OnnxRecogniser(folder)
    with pytest.raises(BadInputError, match=r"manifest\.json is not a recogniser manifest"):
        OnnxRecogniser(tmp_path / "nowhere")


def test_a_model_file_that_is_no_network_is_named(folder):
    (folder / "model.onnx").write_bytes(b"rubbish" * 100)
    change(folder, sha256=file_hash(folder / "model.onnx"))
    with pytest.raises(BadInputError, match=r"model\.onnx cannot be opened by ONNX Runtime"):
        OnnxRecogniser(folder)


def test_features_of_other_parameters_are_refused_with_both_named(toy_model):
    other = FeatureParams(normalisation="per-segment")
    with pytest.raises(ModelMismatchError) as error:
        OnnxRecogniser(toy_model)(features(80, other))
    assert other.fingerprint() in str(error.value)
    assert DEFAULT_PARAMS.fingerprint() in str(error.value)


@pytest.mark.parametrize("rows", [MIN_ROWS, 9, 10, 11, 12, 13, 80, 81, 1200])
def test_log_probs_are_distributions_with_times_inside_the_word(toy_model, rows):
    word = features(rows)
    found = OnnxRecogniser(toy_model)(word)
    assert found.values.shape == (-(-rows // 4), 76)
    np.testing.assert_allclose(np.exp(found.values).sum(1), 1.0, rtol=1e-4)
    assert found.t.shape == (len(found.values),)
    assert (np.diff(found.t) >= 0).all()
    assert word.t[0] <= found.t[0] <= found.t[-1] <= word.t[-1]
    np.testing.assert_allclose(np.diff(found.t)[:-1], 0.04, atol=1e-9)


@pytest.mark.parametrize("rows", [0, 1, MIN_ROWS - 1])
def test_what_is_too_short_for_a_letter_reads_as_nothing(toy_model, rows):
    found = OnnxRecogniser(toy_model)(features(rows))
    assert found.values.shape == (0, 76)
    assert len(found.t) == 0


def test_the_same_word_always_reads_the_same(toy_model):
    one, other = OnnxRecogniser(toy_model), OnnxRecogniser(toy_model)
    first = one(features(200)).values
    one(features(90, seed=5))
    np.testing.assert_array_equal(one(features(200)).values, first)
    np.testing.assert_array_equal(other(features(200)).values, first)


def test_an_unknown_provider_is_an_error_that_lists_the_known_ones(toy_model):
    with pytest.raises(BadInputError, match=r"unknown provider 'tpu'.*cpu, cuda"):
        OnnxRecogniser(toy_model, "tpu")


def test_the_report_says_what_is_really_used_when_the_wish_cannot_be_met(toy_model, monkeypatch):
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    recogniser = OnnxRecogniser(toy_model, "cuda")
    assert recogniser.report.used == ("CPUExecutionProvider",)
    assert str(recogniser.report) == "CPU (asked for cuda: not available here)"
    assert len(recogniser(features(80)).values) == 20


@pytest.mark.parametrize(
    ("known", "packages", "advice"),
    [
        ((), {"onnxruntime"}, "has no cuda; the README"),
        ((), {"onnxruntime", "onnxruntime-gpu"}, "overwrite each other: `pip uninstall onnxruntime`"),
        (("CUDAExecutionProvider",), {"onnxruntime-gpu"}, "does not start here"),
    ],
)
def test_a_wish_that_was_not_met_comes_with_what_to_do(monkeypatch, known, packages, advice):
    monkeypatch.setattr(session, "_installed", packages.__contains__)
    assert advice in ProviderReport("cuda", ("CPUExecutionProvider",), known).advice
    assert ProviderReport("cpu", ("CPUExecutionProvider",), known).advice == ""


def test_the_report_is_plain_when_the_wish_was_met(toy_model):
    assert str(OnnxRecogniser(toy_model).report) == "CPU"
    assert str(ProviderReport("cuda", ("CUDAExecutionProvider", "CPUExecutionProvider"))) == "CUDA, CPU"
    assert set(PROVIDERS) >= {"cpu", "cuda"}


def test_a_provider_that_fails_at_start_is_reported_not_hidden(toy_model, monkeypatch):
    """The library lists CUDA but the machine cannot: the session falls back, and the report must say so."""
    real = onnxruntime.InferenceSession

    def without_cuda(path, options, providers):
        assert providers == ["CUDAExecutionProvider", "CPUExecutionProvider"]
        return real(path, options, providers=["CPUExecutionProvider"])

    listed = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: listed)
    monkeypatch.setattr(onnxruntime, "InferenceSession", without_cuda)
    assert str(OnnxRecogniser(toy_model, "cuda").report) == "CPU (asked for cuda: not available here)"
