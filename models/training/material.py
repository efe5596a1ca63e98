"""What a run trains on, what it is validated with, and what its targets are."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from models.training.archives.catalogue import read
from models.training.archives.layouts import ReadOptions
from models.training.archives.raw_set import RawSet
from models.training.archives.signals import SignalSet
from models.training.batches import Corpus
from models.training.config import RunConfig
from models.training.presenting import FeaturePresenter, Presenter, RawPresenter, Words
from models.training.shards import Shard, first_words, join
from models.training.tokens import BigramTokens, TargetAlphabet
from penapp.decode.alphabet import ONHW_LETTERS, PENAPP_ALPHABET, Alphabet
from penapp.dsp.params import DEFAULT_PARAMS, FeatureParams
from penapp.errors import BadInputError

RAW_CHANNELS = 13


@dataclass(frozen=True)
class Targets:
    """What the columns of the network mean, as a checkpoint keeps it.

    features: F of the input; alphabet: letters or tokens, blank included
    """

    features: int
    alphabet: TargetAlphabet

    @property
    def letters(self) -> Alphabet:
        """The letters that the targets are made of."""
        if isinstance(self.alphabet, Alphabet):
            return self.alphabet
        if isinstance(self.alphabet, BigramTokens):
            return Alphabet("".join(token for token in self.alphabet.tokens if len(token) == 1))
        return PENAPP_ALPHABET

    def state(self) -> dict[str, object]:
        """Plain values for a checkpoint."""
        if isinstance(self.alphabet, BigramTokens):
            return {"features": self.features, "tokens": list(self.alphabet.tokens)}
        if isinstance(self.alphabet, Alphabet):
            return {"features": self.features, "letters": self.alphabet.letters}
        raise BadInputError(f"targets of the kind {type(self.alphabet).__name__} cannot be stored")

    @staticmethod
    def of(state: Mapping[str, object]) -> Targets:
        """From `state()`; an older checkpoint without it reads penapp's features and letters."""
        features = int(str(state.get("features", DEFAULT_PARAMS.size)))
        tokens = state.get("tokens")
        if isinstance(tokens, list):
            return Targets(features, BigramTokens(tuple(str(token) for token in tokens)))
        return Targets(features, Alphabet(str(state.get("letters", PENAPP_ALPHABET.letters))))


PENAPP_TARGETS = Targets(DEFAULT_PARAMS.size, PENAPP_ALPHABET)


@dataclass(frozen=True)
class Material:
    """Everything a run needs besides its configuration.

    val: the words of the learning curve, by which the best checkpoint is chosen
    notes: lines to print, of what was left out
    apart: the whole validation shard, of whose writers nothing may be shown in training; None: just `val`
    """

    corpora: tuple[Corpus, ...]
    val: Words
    targets: Targets
    presenter: Presenter
    notes: tuple[str, ...] = ()
    apart: Words | None = None


def load_material(config: RunConfig) -> Material:
    """Shards, or one fold of an archive.

    Raises:
        BadInputError: nothing is found, or what is found does not fit the configuration
    """
    if config.data.archive:
        return _of_archive(config)
    corpora = load_corpora(config)
    whole = _val_shard(config)
    val = _learning_curve(whole, config)
    return Material(tuple(corpora), val, targets_of(config, corpora), presenter_of(config), apart=whole)


def presenter_of(config: RunConfig) -> Presenter:
    """Raw recordings and feature rows are shown in different ways; single labels are never joined."""
    single = config.data.task == "labels"
    if config.data.archive:
        return RawPresenter(replace(config.raw, extra=0) if single else config.raw)
    return FeaturePresenter(replace(config.augment, concatenate=0.0) if single else config.augment)


def targets_of(config: RunConfig, corpora: Sequence[Corpus]) -> Targets:
    """Letters of the configured alphabet, or tokens built from the training labels."""
    letters = config.data.alphabet or (ONHW_LETTERS if config.data.archive else PENAPP_ALPHABET.letters)
    features = RAW_CHANNELS if config.data.archive else DEFAULT_PARAMS.size
    if not config.data.tokens:
        return Targets(features, Alphabet(letters))
    labels = [str(label) for corpus in corpora for label in np.unique(corpus.shard.label)]
    known = [label for label in labels if Alphabet(letters).covers(label)]
    return Targets(features, BigramTokens.built(known, config.data.tokens, letters))


def feature_params(config: RunConfig) -> FeatureParams:
    """The features this run reads: the default ones with the configured normalisation."""
    return replace(DEFAULT_PARAMS, normalisation=config.data.normalisation)


def load_corpora(config: RunConfig) -> list[Corpus]:
    """The training shards by pattern; BadInputError when a pattern matches nothing."""
    corpora = []
    for pattern, share in config.data.train.items():
        paths = sorted(Path(config.data.corpus).glob(pattern))
        if not paths:
            raise BadInputError(
                f"no shard matches {pattern} in {config.data.corpus}.", advice="Run `prepare` first."
            )
        shard = join([Shard.load(p) for p in paths]).normalised(feature_params(config))
        corpora.append(Corpus(shard, share))
    return corpora


def load_val(config: RunConfig) -> Shard:
    """The first `val_words` words of the validation shard."""
    return _learning_curve(_val_shard(config), config)


def _val_shard(config: RunConfig) -> Shard:
    return Shard.load(Path(config.data.corpus) / config.data.val)


def _learning_curve(shard: Shard, config: RunConfig) -> Shard:
    return first_words(shard, config.data.val_words).normalised(feature_params(config))


def archive_part(config: RunConfig, split: str) -> SignalSet:
    """One side of the configured fold; BadInputError lists what the archive holds when it is not there."""
    options = ReadOptions(max_rows=config.data.max_rows or None)
    data = config.data
    parts = list(
        read(
            Path(data.archive),
            source=data.source or None,
            fold=data.fold or None,
            split=split,
            options=options,
        )
    )
    if len(parts) > 1:
        raise BadInputError(
            f"{data.archive} holds {len(parts)} parts that fit: {', '.join(part.name for part in parts)}.",
            advice="Name one with data.source and data.fold.",
        )
    return parts[0]


def archive_sides(config: RunConfig) -> tuple[SignalSet, SignalSet]:
    """The recordings that are learned, and those that choose the checkpoint."""
    train = archive_part(config, "train")
    if config.data.selection == "best-on-test":
        return train, archive_part(config, "test")
    return _held_out(train, config)


def _of_archive(config: RunConfig) -> Material:
    train, val = archive_sides(config)
    corpora = [Corpus(RawSet.as_recorded(train), 1.0)]
    notes = tuple(note for side in {s.name: s for s in (train, val)}.values() for note in left_out(side))
    targets, presenter = targets_of(config, corpora), presenter_of(config)
    return Material(tuple(corpora), RawSet.as_recorded(val), targets, presenter, notes)


def left_out(signals: SignalSet) -> list[str]:
    """What the reader of the archive left out, one line a reason."""
    return [f"{signals.name}: {n} left out, {reason}" for reason, n in signals.dropped_by_reason().items()]


def _held_out(signals: SignalSet, config: RunConfig) -> tuple[SignalSet, SignalSet]:
    """Some training writers apart, to choose the checkpoint by; recordings where no writers are known."""
    share = config.data.held_out
    names = sorted({str(writer) for writer in signals.writers})
    if len(names) > 1:
        order = sorted(names, key=lambda name: zlib.crc32(f"{config.seed} {name}".encode()))
        apart = set(order[: max(round(share * len(names)), 1)])
        chosen = [i for i, writer in enumerate(signals.writers) if str(writer) in apart]
    else:
        rng = np.random.default_rng(config.seed)
        chosen = sorted(rng.permutation(len(signals))[: max(round(share * len(signals)), 1)].tolist())
    others = sorted(set(range(len(signals))) - set(chosen))
    return signals.only(others), signals.only(chosen)
