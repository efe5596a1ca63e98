"""From checkpoint to artefact: what ships reads what was trained, or nothing ships."""

import shutil

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the trainer needs torch (extra `train`)")

import onnx  # noqa: E402
import onnxruntime  # noqa: E402

import models.training.export as exporting  # noqa: E402
from models.training.encoders.onnx_files import export_step as real_step  # noqa: E402
from models.training.export import check_parity, export, load_network  # noqa: E402
from models.training.run import load_run, save_run, start_run  # noqa: E402
from models.training.shards import first_words  # noqa: E402
from penapp.decode.alphabet import PENAPP_ALPHABET  # noqa: E402
from penapp.dsp.params import DEFAULT_PARAMS, FEATURE_NAMES  # noqa: E402
from penapp.errors import BadInputError, ModelMismatchError  # noqa: E402
from penapp.recognise.artefact import file_hash, read_manifest  # noqa: E402
from tests.training.toy_training import (  # noqa: E402
    demo_shard,
    talkative_checkpoint,
    toy_artefact,
    toy_config,
)


@pytest.fixture(scope="module")
def network(toy_model):
    return load_network(toy_model.parent / "toy-model.safetensors")


@pytest.fixture
def altered(toy_model, tmp_path):
    """A copy of the artefact with one weight a little off, and a manifest that vouches for it."""
    folder = shutil.copytree(toy_model, tmp_path / "altered")
    model = onnx.load(str(folder / "model.onnx"))
    weights = next(t for t in model.graph.initializer if len(t.dims) == 2)
    values = onnx.numpy_helper.to_array(weights).copy()
    values += 1e-2
    weights.CopyFrom(onnx.numpy_helper.from_array(values, weights.name))
    onnx.save(model, str(folder / "model.onnx"))
    text = (folder / "manifest.json").read_text(encoding="utf-8")
    old, new = file_hash(toy_model / "model.onnx"), file_hash(folder / "model.onnx")
    (folder / "manifest.json").write_text(text.replace(old, new), encoding="utf-8")
    return folder


def test_the_manifest_says_what_the_artefact_is(toy_model, network):
    manifest = read_manifest(toy_model)
    assert (manifest.name, manifest.version, manifest.stride) == ("toy", 1, 4)
    assert manifest.alphabet == PENAPP_ALPHABET
    assert manifest.params == DEFAULT_PARAMS
    assert manifest.sha256 == file_hash(toy_model / "model.onnx")
    assert manifest.parameters == sum(p.numel() for p in network.parameters())
    assert sorted(p.name for p in toy_model.iterdir()) == [
        "manifest.json",
        "model.onnx",
        "weights.safetensors",
    ]


def test_the_onnx_file_knows_its_alphabet_and_features_by_itself(toy_model):
    found = onnxruntime.InferenceSession(str(toy_model / "model.onnx")).get_modelmeta().custom_metadata_map
    assert found == {
        "alphabet": PENAPP_ALPHABET.letters,
        "blank": "0",
        "fingerprint": DEFAULT_PARAMS.fingerprint(),
        "features": ",".join(FEATURE_NAMES),
        "rate_hz": "100.0",
        "normalisation": "causal",
        "stride": "4",
    }


def test_onnx_and_torch_agree_on_real_words(toy_model, network):
    assert check_parity(network, toy_model, demo_shard("val", 1)) < exporting.TOLERANCE


@torch.no_grad()
@pytest.mark.parametrize("batch", [1, 2, 5])
@pytest.mark.parametrize("rows", [1, 8, 9, 63, 64, 65, 400])
def test_onnx_and_torch_agree_for_every_batch_and_length(toy_model, network, batch, rows):
    """The exporter saw one batch of two words of 64 rows; nothing of that may stick."""
    session = onnxruntime.InferenceSession(str(toy_model / "model.onnx"))
    shape = (batch, rows, DEFAULT_PARAMS.size)
    features = np.random.default_rng(rows).standard_normal(shape).astype(np.float32)
    lengths = np.maximum(rows - 3 * np.arange(batch), 1)
    ours = network(torch.from_numpy(features), torch.from_numpy(lengths)).numpy()
    theirs = session.run(None, {"features": features, "lengths": lengths})[0]
    assert theirs.shape == ours.shape
    for k, frames in enumerate(network.output_length(torch.from_numpy(lengths)).tolist()):
        np.testing.assert_allclose(theirs[k, :frames], ours[k, :frames], atol=1e-4)


def test_an_altered_onnx_file_does_not_pass(altered, network):
    with pytest.raises(ModelMismatchError, match="torch and ONNX"):
        check_parity(network, altered, demo_shard("val", 1))


def test_more_than_the_tolerance_does_not_pass_even_if_all_words_read_alike(altered, network, monkeypatch):
    """With everything read the same, the numbers alone must stop it, and both are named."""
    monkeypatch.setattr(type(PENAPP_ALPHABET), "collapse", lambda *_: "same")
    with pytest.raises(ModelMismatchError, match=r"differ by .*, allowed is 1e-04"):
        check_parity(network, altered, demo_shard("val", 1))


def test_a_golden_shard_without_words_proves_nothing(toy_model, network):
    with pytest.raises(BadInputError, match="holds no word"):
        check_parity(network, toy_model, first_words(demo_shard("val", 1), 0))


def test_an_export_that_fails_leaves_what_was_there(toy_model, tmp_path, monkeypatch):
    folder = shutil.copytree(toy_model, tmp_path / "shipped")
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    checkpoint = talkative_checkpoint(tmp_path / "other.safetensors", seed=9)
    monkeypatch.setattr(exporting, "TOLERANCE", 0.0)
    with pytest.raises(ModelMismatchError):
        export(checkpoint, folder, demo_shard("val", 1))
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before


def test_the_smoothed_weights_are_what_is_exported(tmp_path):
    run = start_run(toy_config(tmp_path))
    with torch.no_grad():
        run.smooth.output.bias.fill_(0.25)
    save_run(run, tmp_path / "c.safetensors")
    assert load_network(tmp_path / "c.safetensors").output.bias.tolist() == [0.25] * PENAPP_ALPHABET.size
    assert load_run(tmp_path / "c.safetensors", run).network.output.bias.abs().max() != 0.25


def test_the_normalisation_of_the_run_goes_into_the_artefact(tmp_path):
    """The golden shard is causal; the artefact is checked on, and asks for, its own kind of rows."""
    folder = toy_artefact(tmp_path / "own", data={"normalisation": "per-segment"}, network={"stride": 8})
    manifest = read_manifest(folder)
    assert manifest.params.normalisation == "per-segment"
    assert manifest.fingerprint == manifest.params.fingerprint() != DEFAULT_PARAMS.fingerprint()
    assert manifest.stride == 8


def streaming_checkpoint(folder):
    run = start_run(toy_config(folder, encoder="streaming", streaming={"width": 12, "hidden": 12}))
    save_run(run, folder / "streaming.safetensors")
    return folder / "streaming.safetensors"


def test_a_streaming_network_ships_with_a_step_that_reads_on_from_its_state(tmp_path):
    export(streaming_checkpoint(tmp_path), tmp_path / "model", demo_shard("val", 1))
    session = onnxruntime.InferenceSession(str(tmp_path / "model" / "step.onnx"))
    given = {item.name for item in session.get_inputs()} - {"rows"}
    back = {item.name for item in session.get_outputs()} - {"log_probs"}
    assert {name.removesuffix("_in") for name in given} == {name.removesuffix("_out") for name in back}
    assert len(given) == 5
    assert read_manifest(tmp_path / "model").stride == 8


def test_a_step_that_reads_otherwise_does_not_ship(tmp_path, monkeypatch):
    checkpoint = streaming_checkpoint(tmp_path)
    other = load_network(checkpoint)
    with torch.no_grad():
        other.output.bias += 0.5 * torch.arange(other.classes)
    monkeypatch.setattr(exporting, "export_step", lambda _, path: real_step(other, path))
    with pytest.raises(ModelMismatchError, match="step by step"):
        export(checkpoint, tmp_path / "model", demo_shard("val", 1))
    assert not (tmp_path / "model").exists()


def test_nothing_of_an_earlier_export_stays_beside_the_new_network(tmp_path):
    """Neither the step file of a streaming network nor what a refused export left behind."""
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy.part").mkdir()
    for folder in ("toy", "toy.part"):
        (tmp_path / folder / "step.onnx").write_text("old")
    export(talkative_checkpoint(tmp_path / "own.safetensors"), tmp_path / "toy", demo_shard("val", 1))
    made = sorted(path.name for path in (tmp_path / "toy").iterdir())
    assert made == ["manifest.json", "model.onnx", "weights.safetensors"]
    assert not (tmp_path / "toy.part").exists()
