"""Decides which text encoder a run uses, and says why.

`auto` prefers OpenAI where there is a key, then the genuine MiniLM weights if they are installed, then
hashing, which always works. An encoder asked for by name is never replaced by another one.
"""

import importlib.util
from dataclasses import astuple, dataclass

from modellens_core.config import EncoderChoice, Settings
from modellens_core.features.encoders.base import EncoderError, TextEncoder
from modellens_core.features.encoders.hashing import HashingEncoder
from modellens_core.features.encoders.minilm import ENCODER_ID, GET_IT, MiniLMEncoder, find_weights
from modellens_core.features.encoders.openai import OpenAIEncoder
from modellens_core.features.featureset import EncoderInfo


@dataclass(frozen=True, slots=True)
class Choice:
    """The encoder to use, and one line for the user that says which and why."""

    encoder: TextEncoder
    note: str


def choose_encoder(settings: Settings) -> Choice:
    """Pick the encoder that the settings ask for.

    Args:
        settings: `encoder`, `encoder_path`, `openai_api_key`, `openai_base_url`, `threads` are read.

    Raises:
        EncoderError: the encoder asked for by name (or the folder given) cannot be used.
    """
    match settings.encoder:
        case EncoderChoice.OPENAI:
            return _openai(settings, "as MODELLENS_ENCODER asks")
        case EncoderChoice.MINILM:
            return _minilm(settings, "as MODELLENS_ENCODER asks")
        case EncoderChoice.HASHING:
            return Choice(HashingEncoder(), "hashing encoder, as MODELLENS_ENCODER asks")
        case EncoderChoice.AUTO:
            return _automatic(settings)


def encoder_for(info: EncoderInfo, settings: Settings) -> TextEncoder:
    """The encoder that made some vectors, to make more that can be compared with them.

    Args:
        info: as stored beside the vectors.
        settings: where to find it: `encoder_path`, `openai_api_key`, `openai_base_url`, `threads`.

    Raises:
        EncoderError: it is not available here, or no longer gives the same vectors.
    """
    if info.encoder_id == ENCODER_ID:
        encoder = _minilm(settings, "").encoder
    elif info.encoder_id == HashingEncoder(info.dim).encoder_id:
        encoder = HashingEncoder(info.dim)
    else:
        encoder = _openai(settings, "").encoder
    if (encoder.encoder_id, encoder.weights_hash, encoder.dim) != astuple(info):
        raise EncoderError(
            f"the vectors were made by {info.encoder_id!r} (weights {info.weights_hash[:8]}), here is only "
            f"{encoder.encoder_id!r} ({encoder.weights_hash[:8]}); restore it, or run `modellens run` again"
        )
    return encoder


def _automatic(settings: Settings) -> Choice:
    if settings.openai_api_key:
        return _openai(settings, "because OPENAI_API_KEY is set")
    if settings.encoder_path is not None:
        return _minilm(settings, "from MODELLENS_ENCODER_PATH")
    try:
        return _minilm(settings, "because its weights are installed and no OpenAI key is set")
    except EncoderError as error:
        return Choice(HashingEncoder(), f"hashing encoder (spelling only, no meaning): {error}")


def _openai(settings: Settings, why: str) -> Choice:
    if not settings.openai_api_key:  # an empty key is no key
        raise EncoderError(
            "the openai encoder needs OPENAI_API_KEY; set it, or MODELLENS_ENCODER=minilm"
        )
    encoder = OpenAIEncoder(settings.openai_api_key, base_url=settings.openai_base_url)
    return Choice(encoder, f"{encoder.encoder_id} over the OpenAI API, {why}")


def _minilm(settings: Settings, why: str) -> Choice:
    if importlib.util.find_spec("sentence_transformers") is None:
        raise EncoderError(f"sentence-transformers is not installed: {GET_IT}")
    found = find_weights(settings.encoder_path)
    refused = f" (refused: {'; '.join(found.refused)})" if found.refused else ""
    if found.folder is None:
        raise EncoderError(f"the all-MiniLM-L6-v2 weights are not installed{refused}: {GET_IT}")
    return Choice(
        MiniLMEncoder(found.folder, settings.threads), f"all-MiniLM-L6-v2, {why}{refused}"
    )
