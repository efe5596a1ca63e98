"""What weighs how much when the network and the knowledge of words disagree."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DecoderParams:
    """Weights of one word's reading; all `log_*` values are natural logs.

    A reading's score is  ln p(text | frames)  +  lm_weight * ln p(text)  +  letter_insertion * letters
    +  word_insertion  (lexicon words),
    with  p(text) = (1 - p_oov) * p_word(text)  +  p_oov * p_letters(text): words of the lexicon by their
    frequency (after the previous word where bigrams know it), every other text letter by letter.

    lm_weight:      weight of the knowledge of words against the network (0: the network alone)
    word_insertion: added once to a reading that is a lexicon word
    letter_insertion: added per letter of a reading: CTC likes short readings too much
    log_oov:        ln of the share of written words expected outside the lexicon (negative; closer to 0
                    makes readings outside the lexicon easier)
    bigram_weight:  0..1 share of the bigram in p_word when the previous word is known
    log_user_word:  ln p_word of a word the user has added
    log_capitalised, log_upper, log_mixed: prior of the way a word is cased, lower case being 0
    log_mark:       prior of one mark (. , ? ! - ') before or after a word
    beam:           trie nodes kept per frame
    beam_log_width: nodes worse than the best by more than this are dropped (natural log)
    candidates:     readings handed on with a hypothesis, at most
    """

    lm_weight: float = 0.4
    word_insertion: float = 4.0
    letter_insertion: float = 2.0
    log_oov: float = -4.0
    bigram_weight: float = 0.5
    log_user_word: float = -9.0
    log_capitalised: float = -0.5
    log_upper: float = -2.0
    log_mixed: float = -5.0
    log_mark: float = -2.5
    beam: int = 100
    beam_log_width: float = 16.0
    candidates: int = 8
