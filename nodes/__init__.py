"""The nodes: one file per node, each a schema, checks, a call of the core, and the wrapping of what it returns.

The host imports all of them and makes their schemas when it starts. So a node's module imports at its top only what is
small and needs torch alone (errors, transfer, names of pretrained models); words, learn, color, models and style files
it imports in the functions that use them, and what only annotations name under `TYPE_CHECKING`.
"""

from __future__ import annotations


def node_list() -> list[type]:
    """Return the node classes, imported only now: the host may import the pack without using it.

    What each is given is checked against its schema before it runs.
    """
    from .blip_caption import BlipCaption
    from .color_edit import ColorEdit
    from .feedback_gallery import FeedbackGallery
    from .fine_detail import FineDetail
    from .host.checked_inputs import check_inputs
    from .load_folder import LoadFolder
    from .lora_train import LoraTrain
    from .mini_loader import MiniLoader
    from .query_preserve_patch import QueryPreservePatch
    from .save_folder import SaveFolder
    from .style_dataset import StyleDataset
    from .style_load import StyleLoad
    from .style_mix import StyleMix
    from .style_save import StyleSave
    from .style_strip import StyleStrip
    from .train_on import TrainOn
    from .trajectory import TrajectoryNode
    from .transfer_prompt import TransferPrompt
    from .triple_sampler import TripleSampler

    nodes = [
        TripleSampler,
        QueryPreservePatch,
        TrajectoryNode,
        StyleMix,
        StyleSave,
        StyleLoad,
        MiniLoader,
        BlipCaption,
        StyleStrip,
        StyleDataset,
        LoraTrain,
        FeedbackGallery,
        TrainOn,
        ColorEdit,
        TransferPrompt,
        FineDetail,
        LoadFolder,
        SaveFolder,
    ]
    return [check_inputs(node) for node in nodes]


def extension():
    """Return the `ComfyExtension` of this pack."""
    from comfy_api.latest import ComfyExtension

    class StyleWallfacerExtension(ComfyExtension):
        async def get_node_list(self) -> list[type]:
            from .host.server_routes import register

            register()  # here and not in `on_load`, which not every host calls
            return node_list()

    return StyleWallfacerExtension()
