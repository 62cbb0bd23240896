"""The story 演示故事: what happens while the daemons run, with times, seen from the bureaus' own systems.

Nothing here asks a daemon: a row is written into one bureau's system, and the clock stops when the order stands (or is
lifted) in the bureau systems themselves, which another process keeps.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from syncd.demo.scenario import Scenario, StoryLine
from syncd.demo.site import Site
from syncd.errors import Stop

PATIENCE_SECONDS = 90.0
LOOK_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that was awaited in every place: how many milliseconds it took in each."""

    what: str
    milliseconds: Mapping[str, int]


@dataclass
class Told:
    """The moments of the story, in order."""

    moments: list[Moment] = field(default_factory=list)


def in_force(site: Site, uscc: str, numbers: Sequence[str] | None = None) -> int:
    """How many orders the bureau's own system applies to an organisation (for these decision numbers only)."""
    held = site.home.held(uscc)
    return sum(1 for order in held if numbers is None or order["CJD_WSH"] in numbers)


def await_everywhere(
    sites: Mapping[str, Site], what: str, reached: Callable[[Site], bool], since: float | None = None
) -> Moment:
    """Wait until ``reached`` holds at every site; raises ``Stop`` naming where it does not."""
    begun = time.monotonic() if since is None else since
    took: dict[str, int] = {}
    while len(took) < len(sites):
        for code, site in sites.items():
            if code not in took and reached(site):
                took[code] = round((time.monotonic() - begun) * 1000)
        if time.monotonic() - begun > PATIENCE_SECONDS:
            missing = ", ".join(sorted(set(sites) - set(took)))
            raise Stop(f"After {PATIENCE_SECONDS:.0f} s this had not come about in {missing}: {what}.")
        time.sleep(LOOK_SECONDS)
    return Moment(what, took)


def load_month(sites: Mapping[str, Site], scenario: Scenario) -> int:
    """Write the month's rows into the three systems; returns how many there are."""
    for code, load in scenario.loads.items():
        sites[code].home.put_penalties(load.penalties)
        sites[code].home.put_relief(load.relief)
    return sum(len(load.penalties) + len(load.relief) for load in scenario.loads.values())


def tell(sites: Mapping[str, Site], scenario: Scenario) -> Told:
    """Play every story line and measure it at all three systems."""
    told = Told()
    for line in scenario.stories.values():
        numbers = [finding.number for finding in line.findings]
        if line.live is not None:
            begun = time.monotonic()
            sites[line.findings[0].bureau].home.put_penalties([line.live])
            told.moments.append(
                await_everywhere(sites, f"{line.name}: source row → restricted", _applies(line, numbers), begun)
            )
        if not line.early:
            told.moments.append(_relieve(sites, line))
    return told


def _applies(line: StoryLine, numbers: Sequence[str]) -> Callable[[Site], bool]:
    return lambda site: in_force(site, line.company.uscc, numbers) > 0


def _relieve(sites: Mapping[str, Site], line: StoryLine) -> Moment:
    uscc, number = line.company.uscc, line.relieved.number
    await_everywhere(sites, f"{line.name}: restricted before", lambda site: in_force(site, uscc, [number]) > 0)
    begun = time.monotonic()
    sites[line.relief_bureau].home.put_relief([line.relief])
    if line.relief_state == "异议":
        return await_everywhere(sites, f"{line.name}: dispute 异议 → marked", lambda site: _marked(site, uscc), begun)
    what = f"{line.name}: relief row {line.relief_state} → lifted"
    return await_everywhere(sites, what, lambda site: in_force(site, uscc, [number]) == 0, begun)


def _marked(site: Site, uscc: str) -> bool:
    held = site.home.held(uscc)
    return bool(held) and all(order["CJD_BJ"] == "异议" for order in held)
