"""Ranges of seeds that never meet: what a model is measured on it has never seen."""

TRAIN_SEED, HELD_OUT_SEED, CLASSIFIER_SEED = 0, 5_000_000, 30_000_000
PARTNER_SEED, WORDS_SEED = 40_000_000, 50_000_000
TEST_SEED, TUNE_SEED = 10_000_000, 20_000_000
