"""An edit of self-attention carried out by the host on a UNet or a transformer, in a copy of the model options."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .call_parts import Chooser
from .network import Network
from .transformer_attention import with_transformer_edit
from .unet_attention import with_unet_edit


def with_edit(options: dict[str, Any], network: Network, layers: Iterable[str], choose: Chooser) -> dict[str, Any]:
    """A copy of model options with self-attention in `layers` computed by the function that `choose` returns.

    Raises UserError, naming the layer, where another patch of a UNet has replaced it already.
    """
    edit = with_unet_edit if network.transformer is None else with_transformer_edit
    return edit(options, network, layers, choose)
