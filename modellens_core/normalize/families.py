"""Which architecture family a model belongs to (being written; signatures are final)."""


def family_of(model_id: str, architecture: str | None = None, base_model: str | None = None) -> str:
    """Family slug, or "unknown"."""
    raise NotImplementedError
