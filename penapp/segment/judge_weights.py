"""Stand-in until fitted: a pause of 0.7 s ends a word."""

import numpy as np

from penapp.segment.judge import Judge

AIR = LANDED = Judge(np.zeros((27, 1)), np.zeros(1), np.zeros(1), np.array([6.0] + [0.0] * 26), -3.3)
