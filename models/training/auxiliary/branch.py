"""The auxiliary branch as a module: heads of the common space, the image or text branch, the terms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from models.training.auxiliary.companions import Companions, Pictures
from models.training.auxiliary.settings import (
    BRANCHES,
    IMAGE_TERMS,
    PAIR_TERMS,
    TEXT_TERMS,
    AuxiliaryConfig,
)
from models.training.batches import Batch
from models.training.encoders.contract import Encoded, FeatureMap
from models.training.images.pretrain import load_image_recogniser
from models.training.images.recogniser import ImageNetworkConfig, ImageReading, ImageRecogniser
from models.training.objectives.classification import ctc
from models.training.objectives.common import HeadConfig, Heads
from models.training.objectives.contrastive import contrastive
from models.training.objectives.distances import distance_named
from models.training.objectives.infonce import Temperature, infonce, same_label
from models.training.objectives.term import Term
from models.training.objectives.text_branch import TextBranch, TextConfig, text_terms
from models.training.objectives.triplet import edit_margin, triplet
from penapp.decode.alphabet import PENAPP_ALPHABET, Alphabet
from penapp.errors import BadInputError

Maps = dict[str, tuple[Tensor, Tensor]]


@dataclass(frozen=True, slots=True)
class Embedded:
    """One tap in the common space: N words, their pictures, those of other labels, N * H hard negatives."""

    pen: Tensor
    near: Tensor
    far: Tensor | None
    hard: Tensor | None


class ImageAuxiliary(nn.Module):
    """Compares the pen's feature maps with those of pictures of the words."""

    def __init__(self, config: AuxiliaryConfig, tap_widths: dict[str, int], alphabet: Alphabet) -> None:
        super().__init__()
        self.config, self.alphabet = config, alphabet
        self.network = _image_network(config, alphabet)
        channels = self.network.tap_channels()
        _check_taps(config.image.taps, channels, "auxiliary.image.taps")
        if len(config.image.taps) != len(config.taps):
            raise BadInputError(
                f"auxiliary.taps names {len(config.taps)} depths of the pen, auxiliary.image.taps "
                f"{len(config.image.taps)} of the image recogniser.",
                advice="Name one for each.",
            )
        head = _head(config)
        self.pen_heads = Heads({tap: tap_widths[tap] for tap in config.taps}, head)
        self.image_heads = Heads({tap: channels[tap] for tap in dict.fromkeys(config.image.taps)}, head)
        self.temperature = Temperature()

    def terms(self, encoded: Encoded, companions: Companions | None, batch: Batch) -> dict[str, Term]:
        """Every configured term, as a mean over the taps; zeros where the batch has no companions."""
        if companions is None:
            zero = encoded.log_probs.sum() * 0.0
            return {name: Term(zero, 0) for name in self.config.terms}
        pens = self.pen_heads(_maps(encoded.taps, companions.words.to(encoded.frames.device)))
        reading = self._read(companions.positive)
        near = self.image_heads(reading.taps)
        far = self._embedded(companions.negative)
        hard = self._embedded(companions.hard)
        depths = [
            Embedded(pens[pen], near[image], far.get(image), hard.get(image))
            for pen, image in zip(self.config.taps, self.config.image.taps, strict=True)
        ]
        found: dict[str, Term] = {}
        for name in self.config.terms:
            if name == "image_ctc":
                found[name] = self._image_ctc(reading, companions.positive)
                continue
            found[name] = _mean([self._term(name, companions, at) for at in depths])
        return found

    def _term(self, name: str, companions: Companions, at: Embedded) -> Term:
        c, labels = self.config.triplet, companions.positive.labels
        pen, near = at.pen, at.near
        if name in PAIR_TERMS:
            gaps = distance_named(name).rows(pen, near)
            return Term(gaps.sum(), len(gaps))
        if name == "infonce":
            hard = None if at.hard is None else at.hard.reshape(len(pen), -1, *at.hard.shape[1:])
            return infonce(pen, near, self.temperature(), same_label(labels), hard)
        if at.far is None or companions.negative is None:
            raise BadInputError(f"the term {name} needs negatives, and none were drawn.")
        distance = distance_named(c.distance)
        edits = edit_margin(labels, companions.negative.labels, c.dynamic, per_letter=c.per_letter)
        margin = c.margin + edits.to(pen.device)
        if name == "triplet":
            return triplet(pen, near, at.far, margin, distance)
        alike, other = torch.ones(len(pen)), torch.zeros(len(pen))
        together = contrastive(pen, near, alike, margin, distance)
        return together + contrastive(pen, at.far, other, margin, distance)

    def _image_ctc(self, reading: ImageReading, pictures: Pictures) -> Term:
        codes = [self.alphabet.encode(label) for label in pictures.labels]
        targets = torch.tensor([letter for code in codes for letter in code])
        return ctc(reading.log_probs, reading.lengths, targets, torch.tensor([len(code) for code in codes]))

    def _embedded(self, pictures: Pictures | None) -> dict[str, Tensor]:
        return {} if pictures is None else self.image_heads(self._read(pictures).taps)

    def _read(self, pictures: Pictures) -> ImageReading:
        place = self.temperature.log_scale.device
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.config.image.frozen):
            reading: ImageReading = self.network(pictures.pixels.to(place), pictures.widths.to(place))
        return reading

    def train(self, mode: bool = True) -> ImageAuxiliary:
        """A frozen image recogniser stays in evaluation mode."""
        super().train(mode)
        if self.config.image.frozen:
            self.network.eval()
        return self


class TextAuxiliary(nn.Module):
    """Compares the pen's embedding with that of the label's text (ECHWR)."""

    def __init__(self, config: AuxiliaryConfig, tap_widths: dict[str, int], alphabet: Alphabet) -> None:
        super().__init__()
        self.config = config
        sizes = config.text
        self.branch = TextBranch(
            TextConfig(sizes.width, sizes.depth, sizes.heads, sizes.context, config.width), alphabet
        )
        self.pen_heads = Heads({tap: tap_widths[tap] for tap in config.taps}, _head(config))
        self.temperature = Temperature()

    def terms(self, encoded: Encoded, companions: Companions | None, batch: Batch) -> dict[str, Term]:
        """`text` and `text_errors`, as configured, as a mean over the taps."""
        room = self.config.text.context - 1  # a corrupted text may be a letter longer
        order = torch.randperm(len(batch.labels))[: round(self.config.share * len(batch.labels))].tolist()
        chosen = [k for k in sorted(order) if 0 < len(batch.labels[k]) <= room]
        if not chosen:
            zero = encoded.log_probs.sum() * 0.0
            return {name: Term(zero, 0) for name in self.config.terms}
        labels = [batch.labels[k] for k in chosen]
        pens = self.pen_heads(_maps(encoded.taps, torch.tensor(chosen, device=encoded.frames.device)))
        rng = np.random.default_rng(int(torch.randint(2**31, ())))  # of the step's own seed
        sets = self.config.text.errors if "text_errors" in self.config.terms else 0
        scale = self.temperature()
        found = [text_terms(pen, labels, self.branch, scale, rng, sets) for pen in pens.values()]
        return {name: _mean([terms[name] for terms in found]) for name in self.config.terms}


Auxiliary = ImageAuxiliary | TextAuxiliary


def build_auxiliary(
    config: AuxiliaryConfig, tap_widths: dict[str, int], alphabet: Alphabet
) -> Auxiliary | None:
    """The configured branch, or None.

    Raises:
        BadInputError: terms that the branch does not have, taps that the encoder does not have
    """
    known = {"none": (), "image": IMAGE_TERMS, "text": TEXT_TERMS}[config.branch]
    foreign = sorted(set(config.terms) - set(known))
    if foreign or (config.branch != "none" and not config.terms):
        raise BadInputError(
            f"auxiliary.terms of the branch {config.branch!r}: {', '.join(foreign) or 'none'}.",
            advice=f"Expected among {', '.join(known) or 'none'}; branches: {', '.join(BRANCHES)}.",
        )
    if config.branch == "none":
        return None
    if "image_ctc" in config.terms and config.image.frozen:
        raise BadInputError(
            "the term image_ctc would teach a frozen image recogniser nothing.",
            advice="Set auxiliary.image.frozen to false, or leave the term out.",
        )
    if "text_errors" in config.terms and config.text.errors < 1:
        raise BadInputError(
            f"the term text_errors with auxiliary.text.errors = {config.text.errors}.",
            advice="Set errors to 1 or more, or leave the term out.",
        )
    _check_taps(config.taps, tap_widths, "auxiliary.taps")
    kind = ImageAuxiliary if config.branch == "image" else TextAuxiliary
    return kind(config, tap_widths, alphabet)


def _head(config: AuxiliaryConfig) -> HeadConfig:
    slots = config.slots if config.pooling == "slots" and config.branch == "image" else 1
    return HeadConfig(config.width, slots, config.pooling)


def _image_network(config: AuxiliaryConfig, alphabet: Alphabet) -> ImageRecogniser:
    if not config.image.checkpoint:
        network = ImageRecogniser(ImageNetworkConfig(), alphabet.size)
    elif "image_ctc" in config.terms and alphabet != PENAPP_ALPHABET:
        raise BadInputError(
            f"{config.image.checkpoint} reads penapp's letters, the targets of this run are others.",
            advice="Leave image_ctc out, or the checkpoint, or data.alphabet.",
        )
    else:
        network, _ = load_image_recogniser(Path(config.image.checkpoint))
    network.requires_grad_(not config.image.frozen)
    return network


def _check_taps(taps: Sequence[str], known: dict[str, int], key: str) -> None:
    foreign = [tap for tap in taps if tap not in known]
    if foreign or not taps:
        raise BadInputError(
            f"{key} names {', '.join(foreign) or 'nothing'}.", advice=f"There are: {', '.join(known)}."
        )


def _maps(taps: dict[str, FeatureMap], words: Tensor) -> Maps:
    """The feature maps of some words of the batch."""
    return {name: (tap.values[words], tap.lengths[words]) for name, tap in taps.items()}


def _mean(terms: Sequence[Term]) -> Term:
    """The mean over taps, of the same examples."""
    return Term(torch.stack([term.total for term in terms]).mean(), terms[0].count)
