"""The upper bound of each integer of a study file, with its reason. A larger value is a slip of the finger."""

MOST_STEPS = 10_000_000  # of a series: its values and their encodings stay below 1 GB
MOST_VALUES = 10 * MOST_STEPS  # of all series of a made-up source: 800 MB
MOST_STARTS = 100_000  # each has a forecast in rollout.npz
MOST_UNITS = 16_384  # of a layer: an LSTM layer of that size has 2e9 weights, 8 GB in float32
MOST_LAYERS = 1000  # deeper networks only take longer to build
MOST_BUDGET = 10**15  # sequence-steps: years of a core, even of the smallest network
MOST_EVALUATIONS = 10_000  # each ends a segment and is stored
MOST_BATCH = 1_000_000  # windows; a batch holds all windows at most
MOST_TRIALS = 1_000_000  # each has a folder, in one folder
MOST_WIDTH = 10_000  # trials in flight, of which the driver holds the checkpoints
MOST_SEEDS = 10_000  # trainings to the end of each configuration
MOST_PROCESSES = 1024  # workers or threads; a worker takes some 200 MB
LARGEST_SEED = 2**63 - 1  # the largest integer of TOML
