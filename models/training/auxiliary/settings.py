"""What the auxiliary branch is made of; the defaults are no branch at all."""

from __future__ import annotations

from dataclasses import dataclass, field

BRANCHES = ("none", "image", "text")
PAIR_TERMS = ("mse", "cosine", "pearson", "kl")
IMAGE_TERMS = (*PAIR_TERMS, "contrastive", "triplet", "infonce", "image_ctc")
TEXT_TERMS = ("text", "text_errors")
SCHEDULES = ("constant", "ramp", "dwa")


@dataclass(frozen=True)
class ImageConfig:
    """The image branch.

    checkpoint:  a pre-trained one (`python -m models.training.images pretrain`); "": fresh weights
    frozen:      its weights stay as they are; otherwise they learn with the pen
    taps:        depths of the image recogniser, one for each tap of the pen
    own:         share of the positives that show the word's own ink; the rest: the label by somebody else
    hard:        further negatives a word for `infonce`, one edit away
    labels:      most labels that negatives are chosen from
    """

    checkpoint: str = ""
    frozen: bool = True
    taps: tuple[str, ...] = ("context",)
    own: float = 0.5
    hard: int = 0
    labels: int = 8000


@dataclass(frozen=True)
class TripletConfig:
    """Triplet and contrastive terms.

    distance: mse, cosine, pearson or kl; margin: fixed room between positive and negative
    dynamic:  room added for each edit between the labels (0: fixed margin alone); per_letter: over the
              number of letters
    far, near, settled: negatives are `far` edits away at the start of the run and `near` from the share
              `settled` of its steps on
    """

    distance: str = "cosine"
    margin: float = 0.2
    dynamic: float = 0.0
    per_letter: bool = False
    far: int = 8
    near: int = 1
    settled: float = 0.6


@dataclass(frozen=True)
class TextBranchConfig:
    """The published text branch (ECHWR), by default a quarter as wide.

    context: letters at most, longer labels are left out; errors: sets of three corrupted texts a word
    """

    width: int = 128
    depth: int = 2
    heads: int = 4
    context: int = 40
    errors: int = 2


@dataclass(frozen=True)
class AuxiliaryConfig:
    """The branch beside the pen.

    branch:   none, image or text
    terms:    weight of each term, of the image branch mse, cosine, pearson, kl (own and positive brought
              together), contrastive, triplet, infonce and image_ctc (its own reading); of the text branch
              text and text_errors
    taps:     depths of the pen's encoder that are compared; the terms are means over them
    width, slots, pooling: of the common space; slots keep the order of the letters
    share:    share of the words of a batch that are compared
    schedule: constant, ramp (from 0 to the weight over the share `ramp` of the run) or dwa (dynamic weight
              averaging over the time between two validations; as published it looks at how fast a term
              falls, never at how large it is: even out the scales with `terms`, which still multiply)
    lr_scale: learning rate of the branch relative to the encoder's
    """

    branch: str = "none"
    terms: dict[str, float] = field(default_factory=dict)
    taps: tuple[str, ...] = ("recurrent",)
    width: int = 128
    slots: int = 4
    pooling: str = "slots"
    share: float = 1.0
    schedule: str = "constant"
    ramp: float = 0.3
    lr_scale: float = 0.25
    image: ImageConfig = field(default_factory=ImageConfig)
    triplet: TripletConfig = field(default_factory=TripletConfig)
    text: TextBranchConfig = field(default_factory=TextBranchConfig)
