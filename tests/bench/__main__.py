"""`python -m tests.bench bench|accuracy [--only NAME]`: run, print a table, write build/NAME.json."""

import importlib
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from tests.bench.figures import ACCURACY, BENCH, Figure

HERE = Path(__file__).parent


def run(
    what: Annotated[str, typer.Argument(help="bench or accuracy")],
    only: Annotated[str, typer.Option(help="Beginning of the figures' names; empty for all.")] = "",
) -> None:
    """Measure on this machine and print ratios; a timing never fails."""
    if what not in {"bench", "accuracy"}:
        raise typer.BadParameter(f"{what!r}: say bench or accuracy")
    for module in sorted(HERE.glob(f"{what}_*.py")):
        importlib.import_module(f"tests.bench.{module.stem}")
    registry = BENCH if what == "bench" else ACCURACY
    figures = list(registry.run(only))
    for lacking in registry.lacking(only):
        typer.echo(
            f"left out: {lacking}, which isn't there (data made by others, ../shared/data beside the checkout)",
            err=True,
        )
    if not figures and registry.lacking(only):
        raise typer.Exit(2)
    if not figures:
        names = ", ".join(prefix for prefix, _ in registry.entries)
        raise typer.BadParameter(f"no figure begins with {only!r}; there are: {names}")
    out = Path("build")
    out.mkdir(exist_ok=True)
    (out / f"{what}.json").write_text(json.dumps([asdict(figure) for figure in figures], indent=1) + "\n")
    show(registry.title, figures)


def show(title: str, figures: list[Figure]) -> None:
    """Print figures as a table, wide enough that no name is cut when piped."""
    table = Table(title=title)
    for heading in ("figure", "value", "unit", "peer", "peer's", "ratio", "detail"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "figure")
    for figure in figures:
        peer_value = "" if figure.peer_value is None else f"{figure.peer_value:,.4g}"
        ratio = "" if figure.ratio is None else f"{figure.ratio:,.2f}"
        table.add_row(
            figure.name, f"{figure.value:,.6g}", figure.unit, figure.peer or "", peer_value, ratio, figure.detail
        )
    Console(width=None if sys.stdout.isatty() else 160).print(table)


if __name__ == "__main__":
    typer.run(run)
