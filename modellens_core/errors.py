"""Errors a user can cause or meet, each with one line that says what to do.

What belongs here: exception types shared by more than one layer. What does not: handling, logging or
exit codes; the command line maps every `ModelLensError` to a non-zero exit and prints its message as is.
"""


class ModelLensError(Exception):
    """Anything the user can act on. The message is one clear line that says what to do."""


class ConfigError(ModelLensError):
    """A setting is missing, unknown or contradicts another."""


class SourceUnreachableError(ModelLensError):
    """A source did not answer. Other sources go on; the run reports this one as unreachable."""


class SourceCorruptError(ModelLensError):
    """A source answered with bytes that are not what was promised (hash, archive, schema)."""


class QualityError(ModelLensError):
    """The data broke a rule that protects everything downstream; the last good state stays."""


class BundleError(ModelLensError):
    """A serving bundle is missing, damaged or of another format version."""


class UnknownNameError(ModelLensError):
    """A task, metric, model or table name is not known; the message lists near ones."""
