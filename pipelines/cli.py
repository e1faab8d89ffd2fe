"""The `modellens` command: run the graph, ask for models, query the corpus, see how things stand.

Every command turns a `ModelLensError` into one line on standard error and exit code 2; `--json` prints
one JSON document on standard output and nothing else there. Work is done elsewhere: `runner.py`,
`status.py`, `doctor.py` and `modellens_core`.
"""

import json
import math
import os
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, ParamSpec, TypeVar

import typer
from rich.console import Console
from rich.markup import escape

from modellens_core.config import Profile, Settings, load_settings, require_sources
from modellens_core.errors import ModelLensError
from modellens_core.sources.base import SourceState
from pipelines import display
from pipelines.environment import PROJECT_ROOT, make_state, prepare, quiet

P = ParamSpec("P")
R = TypeVar("R")

app = typer.Typer(
    name="modellens",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Which of the myriads of public models will do best on your dataset?\n\n"
    "Start with `modellens run` (builds everything), then "
    '`modellens recommend "what your dataset is"`.',
)
# Not a terminal: nobody's window is to be fitted, so tables keep their names whole.
out = Console(width=None if sys.stdout.isatty() else 160)
err = Console(stderr=True, width=None if sys.stderr.isatty() else 160)

ProfileOption = Annotated[
    Profile | None,
    typer.Option(
        "--profile", envvar="MODELLENS_PROFILE", help="Which sources to use; default quickstart."
    ),
]
SnapshotOption = Annotated[
    Path | None,
    typer.Option(
        "--snapshot-dir",
        envvar="MODELLENS_SNAPSHOT_DIR",
        help="Folder with local source files (profile snapshot).",
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON document instead of text.")
]

STREET = (
    "Photographs from dashboard cameras in city traffic; find every car, cyclist and pedestrian and draw "
    "a box around each."
)
SCHOOL = "Multiple-choice science questions for school pupils that need some reasoning."
EXAMPLE = {Profile.QUICKSTART: STREET, Profile.SNAPSHOT: SCHOOL, Profile.FULL: SCHOOL}


@contextmanager
def clear_errors() -> Iterator[None]:
    """One line and exit code 2 for what a user can act on; 130 for Ctrl-C."""
    try:
        yield
    except ModelLensError as error:
        err.print(f"[red]error:[/red] {escape(str(error))}", highlight=False, soft_wrap=True)
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        err.print("\nstopped; nothing finished is lost. Run the same command again to go on.")
        raise typer.Exit(130) from None


def command(function: Callable[P, R]) -> Callable[P, R]:
    """Wrap a command in `clear_errors`; it imports what it needs only when no library will report home."""

    @wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        quiet()
        with clear_errors():
            return function(*args, **kwargs)

    return wrapped


def settings_for(profile: Profile | None, snapshot_dir: Path | None = None) -> Settings:
    """Settings with the command line's overrides, and the environment prepared for Dagster."""
    settings = load_settings(profile=profile, snapshot_dir=snapshot_dir)
    prepare(settings)
    return settings


def print_json(value: Any) -> None:
    """One JSON document on standard output, strict: what JSON has no word for is put as `strict` says."""
    text = json.dumps(strict(value), indent=2, ensure_ascii=False, default=str, allow_nan=False)
    sys.stdout.write(text + "\n")


def strict(value: Any) -> Any:
    """The same data with null for NaN and the infinities, numbers for decimals, base64 text for bytes."""
    if isinstance(value, dict):
        return {k: strict(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [strict(v) for v in value]
    if isinstance(value, bytes):
        return b64encode(value).decode("ascii")
    if isinstance(value, Decimal):  # DuckDB's sums of integers come as decimals without a fraction
        fraction = int(value.as_tuple().exponent) < 0
        return float(value) if fraction else int(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value


@app.command()
@command
def run(
    profile: ProfileOption = None,
    snapshot_dir: SnapshotOption = None,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Ask every source again first.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Build everything that is missing or out of date: corpus, ranker, evaluation, bundle.

    Runs the Dagster graph. A second run does only what changed; Ctrl-C loses nothing that was finished.
    """
    from pipelines.runner import run_graph
    from pipelines.status import collect_status

    settings = settings_for(profile, snapshot_dir)
    require_sources(settings)
    outcome = run_graph(settings, err, refresh=refresh)
    status = collect_status(settings)
    if as_json:
        print_json({"success": outcome.success, "built": outcome.assets, "status": status})
    else:
        display.show_status(out, status)
        if outcome.success and status["paths"]["bundle"]:
            show_example(settings)
    if not outcome.success:
        failed = ", ".join(outcome.failed_steps) or "a blocking check"
        raise ModelLensError(
            f"the run did not finish ({failed}); the last good corpus and bundle are untouched. "
            "The reason stands above; mend it and run again"
        )
    corrupt = [s["part"] for s in status["sources"] if s["state"] == SourceState.CORRUPT.value]
    if corrupt:
        raise ModelLensError(
            f"{', '.join(corrupt)} answered with something else than promised (see above); their last good "
            "data was kept and everything else was built"
        )


def show_example(settings: Settings) -> None:
    """A top-10 for an example description, as a taste of `modellens recommend`."""
    from modellens_core.serving import Recommender

    example = EXAMPLE[settings.profile]
    answer = Recommender.latest(settings.bundle_dir).recommend(description=example, top=10)
    out.print(f'\n[bold]For example:[/bold] modellens recommend "{example}"')
    display.show_ranking(out, answer)


@app.command()
@command
def recommend(
    description: Annotated[str, typer.Argument(help="What your dataset is, in a sentence or two.")],
    task: Annotated[
        str | None, typer.Option(help="For example object-detection; inferred if left out.")
    ] = None,
    metric: Annotated[
        str | None, typer.Option(help="For example accuracy; inferred if left out.")
    ] = None,
    top: Annotated[int, typer.Option(help="How many models to list.")] = 10,
    max_params_b: Annotated[
        float | None, typer.Option(help="Largest size, in billions of parameters.")
    ] = None,
    licence: Annotated[
        str | None, typer.Option("--license", help="Only models under this licence.")
    ] = None,
    profile: ProfileOption = None,
    bundle: Annotated[
        Path | None, typer.Option(help="A bundle folder; default: the newest.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Rank models for a dataset that has no scores, from its description alone."""
    from modellens_core.serving import Recommender

    settings = load_settings(profile=profile)
    recommender = Recommender.load(bundle) if bundle else Recommender.latest(settings.bundle_dir)
    answer = recommender.recommend(
        description=description,
        task=task,
        metric=metric,
        top=top,
        max_params_b=max_params_b,
        license=licence,
    )
    if as_json:
        print_json(answer.to_dict())
    else:
        display.show_ranking(out, answer)


@app.command()
@command
def query(
    statement: Annotated[
        str | None, typer.Argument(help="SQL, or the name of an example (see --list).")
    ] = None,
    parameter: Annotated[
        list[str] | None, typer.Option("--param", "-p", help="name=value for $name in the query.")
    ] = None,
    show_list: Annotated[bool, typer.Option("--list", help="List the example queries.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="Rows to print.")] = 20,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Query the corpus in DuckDB: one statement of your own SQL, or a documented example by name."""
    from pipelines.queries import example_list, run_query

    if show_list or statement is None:
        for name, about in example_list():
            out.print(f"  [bold]{name}[/bold]  {about}", highlight=False)
        return
    rows = run_query(load_settings(profile=profile).database_path, statement, parameter or [])
    if as_json:
        print_json(rows.to_pylist())
    else:
        display.show_rows(out, rows, limit)


@app.command()
@command
def status(profile: ProfileOption = None, as_json: JsonOption = False) -> None:
    """How things stand: corpus, sources, evaluation, failed checks, where everything lies."""
    from pipelines.status import collect_status

    found = collect_status(settings_for(profile))
    if as_json:
        print_json(found)
    else:
        display.show_status(out, found)


@app.command()
@command
def doctor(profile: ProfileOption = None, as_json: JsonOption = False) -> None:
    """Check that this machine can run ModelLens, and say what to do where it cannot."""
    from pipelines.doctor import examine

    findings = examine(load_settings(profile=profile))
    if as_json:
        print_json([f.to_dict() for f in findings])
    else:
        display.show_findings(out, findings)
    if any(f.state == "broken" for f in findings):
        raise typer.Exit(1)


@app.command()
@command
def dev(
    profile: ProfileOption = None,
    snapshot_dir: SnapshotOption = None,
    port: Annotated[
        int, typer.Option(min=1, max=65535, help="Port of the web server on this machine.")
    ] = 3000,
) -> None:
    """Open Dagster's UI on the graph (loopback only); the same as `make dev`."""
    settings = settings_for(profile, snapshot_dir)
    require_sources(settings)
    make_state(settings)
    os.chdir(PROJECT_ROOT)
    dagster = Path(sys.executable).with_name("dagster")
    # Replaces this process, so that Ctrl-C goes straight to Dagster.
    os.execv(  # noqa: S606 - a fixed program, no shell
        dagster, [str(dagster), "dev", "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", str(port)]
    )


if __name__ == "__main__":
    app()
