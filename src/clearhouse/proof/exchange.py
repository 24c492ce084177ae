"""Exchanging the target's answers between a poc and a control: what ``bypass`` is attributed by."""

from __future__ import annotations

from collections.abc import Sequence

from clearhouse.proof.attribution import Counterfactual, exchange_fails
from clearhouse.proof.bundle import Bundle
from clearhouse.proof.effects import Effect
from clearhouse.proof.observation import Run
from clearhouse.proof.runners.base import Runner


def exchange(
    bundle: Bundle, runner: Runner, poc: bytes, controls: Sequence[Run]
) -> Counterfactual | None:
    """The poc with the answers of the first control with which these decide.

    Where there is none, with those of the first control, for its reason.  None where the effect
    asks for no exchange, or the harness's language knows none.
    """
    if bundle.effect is not Effect.BYPASS:
        return None
    first = None
    for control in bundle.controls:
        tried = runner.counterfactual(control.data, poc)
        if tried is None or exchange_fails(controls, tried) is None:
            return tried
        first = first or tried
    return first
