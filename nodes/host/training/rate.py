"""The learning rate as a word: the training nodes' widget beside the number, which is 0 where nobody wrote one."""

from __future__ import annotations

from comfy_api.latest import io

from ....swf_core.errors import UserError

OWN = "own value"


def rate_choice(usual: str, tooltip: str) -> io.Combo.Input:
    """The widget; `usual` names the rate that is taken where no number is set."""
    # Optional and last, and its default is what a graph from before it meant.
    options = [unless_set(usual), usual, OWN]
    return io.Combo.Input("learning_rate_choice", options=options, default=options[0], optional=True, tooltip=tooltip)


def unless_set(usual: str) -> str:
    """The choice that lets a number above 0 win."""
    return f"{usual} unless set"


def chosen_rate(choice: str, learning_rate: float, usual: str) -> dict[str, float]:
    """The change of options that a choice and a number ask for: none where the usual rate is taken.

    Raises UserError for a choice that is none, and for an own value that was not written.
    """
    if choice not in (unless_set(usual), usual, OWN):
        raise UserError(f"There is no learning rate {choice!r}; choose '{unless_set(usual)}', '{usual}' or '{OWN}'.")
    if choice == OWN and not learning_rate:
        raise UserError(f"learning_rate is 0, but '{OWN}' is chosen; write a rate such as 0.0001, or choose '{usual}'.")
    return {} if choice == usual or not learning_rate else {"learning_rate": learning_rate}
