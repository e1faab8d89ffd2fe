"""Jobs: named selections of the graph that people and schedules run."""

import dagster as dg

everything = dg.define_asset_job(
    "everything",
    selection=dg.AssetSelection.all(),
    description="The whole graph: from the sources to a served ranker.",
)
refresh_corpus = dg.define_asset_job(
    "refresh_corpus",
    selection=dg.AssetSelection.groups("raw", "staging", "corpus"),
    description="Read the sources again and rebuild the corpus.",
)
train = dg.define_asset_job(
    "train",
    selection=dg.AssetSelection.groups("features", "splits", "training"),
    description="Features, frozen splits and rankers from the corpus as it is.",
)
evaluate = dg.define_asset_job(
    "evaluate",
    selection=dg.AssetSelection.groups("evaluation", "serving"),
    description="Evaluate the trained rankers, write the report, and publish the bundle.",
)
JOBS = (everything, refresh_corpus, train, evaluate)
