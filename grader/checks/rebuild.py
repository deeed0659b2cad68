"""The rubric's ``rebuild``: points for a network that was built, shown by its values.

What a class is called proves nothing, and neither does a good accuracy. So the assignment builds
the network that was asked for from the parameters that the student's model holds. Where it gives
the student's own values, the structure is proved, however it is written.
"""

from __future__ import annotations

from dataclasses import replace

from grader.author.evidence import Evidence, Finding, Rebuilt
from grader.errors import Failure
from grader.model import Strict

from .drivers import Dotted

MEASURED = "network"  # among the measurements of a report
UNKNOWN = (
    "could not be rebuilt. No network that was tried gives your predictions from the parameters of "
    "your model: a person must look"
)


class RebuildSpec(Strict):
    """The keys of ``rebuild``.

    ``network`` names ``reference/judges/<file>.<function>``: it gets the driver's result and the
    inputs of the data set, and returns a ``Rebuilt`` (see ``grader.author``). ``finding`` is the
    property that it decides about.
    """

    network: Dotted
    finding: str = "structure"


def added(spec: RebuildSpec, network: Rebuilt, found: Evidence) -> Evidence:
    """Return evidence with what was found out about the network.

    What the judge has found to be wrong stays so; the network's name is added.

    Raises:
        Failure: the values cannot be those of the model that was returned: they prove nothing.
    """
    if network.verdict == "foreign":
        raise Failure("mismatch", network.message)
    values = {**found.values, MEASURED: network.network} if network.network else found.values
    said = [finding for finding in found.findings if finding.name == spec.finding]
    wrong = said[0] if said and said[0].earned < 1 else None
    mine = wrong or Finding(spec.finding, 1.0)
    if network.verdict in ("other", "sibling"):
        texts = [text for text in (wrong and wrong.message, network.message) if text]
        mine = Finding(spec.finding, wrong.earned if wrong else 0.0, "; ".join(texts))
    elif network.verdict == "unknown" and wrong is None:
        more = f" ({network.message})" if network.message else ""
        text = f"a person must look{more}" if network.network else f"{UNKNOWN}{more}"
        mine = Finding(spec.finding, 0.0, f"{spec.finding}: {text}", undecided=True)
    others = [finding for finding in found.findings if finding.name != spec.finding]
    misplaced = network.message if network.verdict == "sibling" else ""
    return replace(found, values=values, findings=[mine, *others], misplaced=misplaced)
