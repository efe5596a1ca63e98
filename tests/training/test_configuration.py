import pytest

from models.training.config import RunConfig, config_from_dump, dump_config, load_config
from penapp.errors import BadInputError
from penapp.recognise.artefact import SHIPPED


def test_a_file_says_what_differs_from_the_defaults(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text('name = "a"\n[optim]\nsteps = 7\n[data]\ntrain = { "x-*.npz" = 0.5 }\n')
    config = load_config(path)
    assert (config.name, config.optim.steps, config.data.train) == ("a", 7, {"x-*.npz": 0.5})
    assert config.network == RunConfig().network


def test_the_file_of_the_shipped_recogniser_is_valid():
    from pathlib import Path

    import models.training

    path = Path(models.training.__file__).with_name(f"{SHIPPED.name}.toml")
    assert load_config(path).name == SHIPPED.name


@pytest.mark.parametrize(
    ("item", "section", "key", "value"),
    [
        ("optim.steps=9", "optim", "steps", 9),
        ("optim.lr=1", "optim", "lr", 1.0),
        ("data.normalisation=per-segment", "data", "normalisation", "per-segment"),
        ('data.train={"real-1.npz"=1.0}', "data", "train", {"real-1.npz": 1.0}),
    ],
)
def test_set_overrides_one_key(item, section, key, value):
    found = getattr(getattr(load_config(None, (item,)), section), key)
    assert found == value
    assert type(found) is type(value)


def test_set_wins_over_the_file_and_the_last_one_over_the_first(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text("seed = 5\n")
    assert load_config(path).seed == 5
    assert load_config(path, ("seed=6", "seed=7")).seed == 7


@pytest.mark.parametrize(
    ("item", "named"),
    [
        ("optim.stepz=9", "optim.stepz"),
        ("colour=3", "colour"),
        ("network.head.size=3", "network.head"),
        ("optim.steps=many", "optim.steps is 'many', expected int"),
        ("optim.steps=1.5", "optim.steps is 1.5, expected int"),
        ("optim.steps=true", "optim.steps is True"),
        ("optim.lr=fast", "optim.lr is 'fast', expected float"),
        ("name=3", "name is 3, expected str"),
        ("network=3", "network is 3, expected a section"),
        ("name.first=x", "name"),
        ("network.stride=5", "network.stride is 5, expected one of 2, 4, 8"),
        ("data.normalisation=persegment", "data.normalisation is 'persegment', expected one of causal"),
        ('data.train={"a.npz"="all"}', "data.train.a.npz is 'all', expected float"),
        ("data.train=real", "data.train is 'real'"),
        ("augment.mask=1", "augment.mask is 1.0, expected less than 1"),
        ("optim.flat_start=-5", "optim.flat_start is -5, expected 0 or more"),
        ("augment.noise=-0.1", "augment.noise is -0.1, expected 0 or more"),
        ("steps", "expected a.b=value"),
    ],
)
def test_what_is_not_understood_is_an_error_that_names_it(item, named):
    with pytest.raises(BadInputError) as error:
        load_config(None, (item,))
    assert named in str(error.value)


def test_an_unknown_key_error_lists_the_known_ones():
    with pytest.raises(BadInputError, match=r"Known here: .*weight_decay"):
        load_config(None, ("optim.decay=1",))


def test_a_section_that_was_set_as_a_value_first_is_an_error():
    with pytest.raises(BadInputError, match="optim is a value, not a section"):
        load_config(None, ("optim=3", "optim.lr=1.0"))


def test_a_file_that_is_no_toml_is_named(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text("steps = = 3")
    with pytest.raises(BadInputError, match=r"a\.toml"):
        load_config(path)


def test_a_dumped_configuration_comes_back_equal():
    config = load_config(None, ("optim.steps=9", "network.stride=8", "augment.force=0.2"))
    assert config_from_dump(dump_config(config)) == config


def test_runs_of_before_a_key_existed_can_be_resumed():
    table = dump_config(RunConfig())
    del table["augment"]["force"]
    assert config_from_dump(table) == RunConfig()


def test_letters_cannot_be_spread_over_a_single_label():
    with pytest.raises(BadInputError, match="flat_start spreads the letters of words"):
        load_config(None, ("data.task=labels", "optim.flat_start=100"))
