"""The task: find the input that shows a known flaw, judged by running it."""

from __future__ import annotations

import atexit
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from inspect_ai import Epochs, Task, task
from inspect_ai.dataset import MemoryDataset, Sample

from clearhouse.benchmark.evaluation.budget import Budget
from clearhouse.benchmark.evaluation.choosing_source import Chooser, ChosenItems, Listener
from clearhouse.benchmark.evaluation.desk import Desk
from clearhouse.benchmark.evaluation.judging import Bench, Judge, judging
from clearhouse.benchmark.evaluation.samples import sample_of
from clearhouse.benchmark.evaluation.sandbox_config import BubblewrapConfig
from clearhouse.benchmark.evaluation.solving import Worker, attempt, model_agent
from clearhouse.benchmark.items import Item, read_items

NAME = "show_known_flaw"
VERSION = 1
_BUDGET, _SANDBOX = Budget(), BubblewrapConfig()


def flaw_task(
    items: Sequence[Item],
    judge: Judge,
    *,
    level: int = 0,
    worker: Worker = model_agent,
    budget: Budget = _BUDGET,
    sandbox: str | BubblewrapConfig = _SANDBOX,
    choose: Chooser | None = None,
    tell: Listener | None = None,
) -> Task:
    """The task over some items at one level of knowledge.

    ``judge`` is that of a ``Bench``, which whoever made it closes.
    With ``choose`` the next item is chosen from what came out so far, errors included, which are
    outcomes then; without it all are asked, and a retry takes up what was an error.  ``tell`` is
    told of each that is over, where items are chosen.
    ``sandbox`` is as :func:`clearhouse.benchmark.evaluation.samples.sample_of` takes it.
    Raises as bringing a target here does.
    """
    desk = Desk()
    by_name: Mapping[str, Item] = {item.name: item for item in items}
    makers: dict[str, Callable[[], Sample]] = {
        item.name: partial(sample_of, item, level, sandbox) for item in items
    }
    if choose is None:
        dataset: MemoryDataset | ChosenItems = MemoryDataset(
            [make() for make in makers.values()], name=NAME
        )
    else:
        dataset = ChosenItems(makers, choose, tell)
    return Task(
        dataset=dataset,
        solver=attempt(worker, desk, budget),
        scorer=judging(by_name, desk, judge),
        name=NAME,
        version=VERSION,
        epochs=Epochs(budget.attempts, "mean") if budget.attempts > 1 else None,
        fail_on_error=choose is None,
        continue_on_fail=True,
        token_limit=budget.tokens,
        message_limit=budget.messages,
        cost_limit=budget.usd,
        metadata={"level": level, "items": {item.name: item.digest for item in items}},
    )


@task(name=NAME)
def show_known_flaw(items: str, level: int = 0, sandbox: str = "bwrap") -> Task:
    """The task over a folder of items, as ``inspect eval clearhouse/show_known_flaw`` finds it.

    Args:
      items: The folder, as ``clearhouse bench build`` makes it.
      level: What the agent is told: 0 code only, 1 a description, 2 a trace, 3 the fix.
      sandbox: ``bwrap``, or another provider and its file, such as ``k8s:values.yaml``.
    """
    where = BubblewrapConfig() if sandbox == "bwrap" else sandbox
    bench = Bench()
    atexit.register(bench.close)
    return flaw_task(read_items(Path(items)), bench.judge, level=level, sandbox=where)
