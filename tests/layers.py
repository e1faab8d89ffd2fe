"""The layers of the graph in the order in which work flows through them; each asset names its own as its group."""

LAYERS = (
    "raw", "staging", "corpus", "features", "splits", "training", "evaluation", "serving",
)  # fmt: skip
