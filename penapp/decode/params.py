"""What weighs how much when the network and the knowledge of words disagree."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DecoderParams:
    """Weights of one word's reading; everything is in natural logs.

    A reading's score is  ln p(text | frames)  +  letter_insertion * letters  +  casing  +  marks, and
    for a word of the lexicon   word_insertion + word_weight * ln p_word
                                + rare_weight * min(0, ln p_word - log_rare),
    for any other text          letters_weight * ln p_letters, letter by letter.

    sharpness:      the network's ln p are multiplied by this and made to sum to 1 again: below 1 it is
                    trusted less where it is sure
    letter_insertion: added per letter of a reading: CTC likes short readings too much
    word_weight:    weight of a word's frequency
    word_insertion: added to a reading that is a lexicon word
    rare_weight:    further weight of the frequency of words that are rarer than log_rare
    log_rare:       ln p_word below which a word counts as rare
    letters_weight: weight of the letter model for readings outside the lexicon
    context_weight: weight of what bigrams know of the word after the previous one
    bigram_weight:  0..1 share of the bigram in p_word when the previous word is known
    capitalised, upper, mixed: bonus of the way a word is cased, lower case being 0
    noun:           bonus of a capital at the head of a word, times the share of its uses that have one
    habit:          weight of the writer's habit of capitals, counted in the words committed since the last
                    reset (1: as Bayes has it, 0: every word stands alone)
    mark:           bonus of one mark (. , ? ! - ') before or after a word
    sure, sure_bonus: bonus of the reading as written if the network gives it at least the probability `sure`
    certainty:      confidences are shares of exp(certainty * score) among the readings
    beam:           trie nodes kept per frame
    beam_log_width: nodes worse than the best by more than this are dropped
    words:          lexicon words whose score is computed exactly, at most
    candidates:     readings handed on with a hypothesis, at most
    """

    sharpness: float = 1.0
    letter_insertion: float = 2.9
    word_weight: float = 0.35
    word_insertion: float = -6.7
    rare_weight: float = 1.06
    log_rare: float = -13.0
    letters_weight: float = 1.02
    context_weight: float = 0.8
    bigram_weight: float = 0.5
    capitalised: float = -0.8
    upper: float = -1.7
    mixed: float = -8.0
    noun: float = 4.2
    habit: float = 1.0
    mark: float = -3.1
    sure: float = 0.95
    sure_bonus: float = 10.0
    certainty: float = 0.75
    beam: int = 200
    beam_log_width: float = 16.0
    words: int = 12
    candidates: int = 8
