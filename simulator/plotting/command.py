"""`stockgate-sim plot`: a scenario as a picture."""

from pathlib import Path
from typing import Annotated

import typer

from simulator.scenarios.errors import ScenarioError
from simulator.scenarios.load import load

USAGE = 2


def plot(
    scenario: Annotated[str, typer.Argument(help="A scenario's TOML file, or a built-in scenario's name.")],
    *,
    out: Annotated[Path, typer.Option(help="Write the picture to this PNG file.")],
    seed: Annotated[
        int | None, typer.Option(min=0, help="Seed of everything random; the scenario's own if not given.")
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option(
            min=0.1, max=86_400, help="Look at so many seconds; else at all, within two hours of one reader's time."
        ),
    ] = None,
    tag: Annotated[
        int | None, typer.Option(min=1, help="Number of the tag whose reads are drawn; else the one with most reads.")
    ] = None,
) -> None:
    """Draw a scenario: its floor plan and who walks when, and RSSI and phase of one tag beside what truly happened."""
    from simulator.plotting.observed import PlotError  # noqa: PLC0415 - matplotlib takes a second that others keep
    from simulator.plotting.run import picture  # noqa: PLC0415

    try:
        seen = picture(load(scenario), seed, seconds, tag, out)
    except (ScenarioError, PlotError) as error:
        typer.echo(f"stockgate-sim: {error}", err=True)
        raise typer.Exit(USAGE) from error
    if not seen.visits:
        followed = "no tag" if seen.tag is None else f"tag {seen.tag} never"
        typer.echo(f"{followed} comes to a portal in {seen.end_us / 1e6:g} s: only the plan is drawn", err=True)
    for visit in seen.visits:
        crossed = "" if visit.crossed_us is None else f", crossed at {visit.crossed_us / 1e6:.2f} s"
        typer.echo(f"tag {seen.tag} at {visit.portal}: {visit.kind}{crossed}, {visit.reads} reads", err=True)
    typer.echo(out)
