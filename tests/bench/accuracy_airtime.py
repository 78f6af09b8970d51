"""What a survey says that a walker is left, beside what simulated walkers truly got, with 0 to 500 tags at rest."""

from tests.bench.figures import ACCURACY, Figure
from tests.helpers.planned import airtime

SEEDS = (3, 4)
PEER = "walkers' mean"


@ACCURACY.register("airtime.")
def estimates():
    """Yield the estimate for each shelf and plan beside the truth; the ratio is the larger by the smaller."""
    for name in ("shelf-0", "shelf-50", "shelf-200", "shelf-500"):
        told = [airtime(name, seed) for seed in SEEDS]
        residents = round(sum(air.residents for air, *_ in told) / len(told))
        for plan, place in (("open", 1), ("planned", 2)):
            reckoned = [air.open_reads() if plan == "open" else air.reads() for air, *_ in told]
            got = [read for one in told for read in one[place]]
            estimate, truth = sum(reckoned) / len(reckoned), sum(got) / len(got)
            detail = f"{residents} residents, {len(got)} walkers with {min(got)} to {max(got)} reads"
            ratio = min(estimate, truth) / max(estimate, truth)
            yield Figure(f"airtime.{name}.{plan}", round(estimate, 1), "reads", PEER, round(truth, 1), ratio, detail)
