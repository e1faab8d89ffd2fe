"""How large a model is, from its name, and in which bucket (being written; signatures are final)."""

SIZE_BUCKETS: tuple[str, ...] = ("unknown",)  # 21 labels when done


def params_from_name(name: str) -> float | None:
    """Parameters in billions that a name states, else None."""
    raise NotImplementedError


def size_bucket(params_b: float | None) -> int:
    """Bucket 1..20, 0 for unknown."""
    raise NotImplementedError
