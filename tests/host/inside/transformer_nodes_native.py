"""Run by ComfyUI's Python in its folder: REPORT (JSON). The transfer nodes themselves on tiny transformers: the Triple
Diffusion Sampler by every preset, trajectories by every encoding, Color Edit by words and by a palette.

Every value of the report is a greatest absolute difference between two latents, or a list of shapes.
"""

from types import SimpleNamespace

from native_tools import apart, comfy, draw, error_messages, fresh, pack, report, torch, write_report

import comfy.taesd.taesd  # isort: skip
import nodes as stock  # isort: skip
import tiny_transformers as tiny  # isort: skip
from comfy.ldm.hydit.models import HunYuanDiT  # isort: skip
from comfy.ldm.pixart.pixartms import PixArtMS  # isort: skip
from comfy.ldm.wan.model import VaceWanModel  # isort: skip

TripleSampler = pack("nodes.triple_sampler").TripleSampler
put_lora = pack("nodes.host.lora").put_lora
ColorEdit = pack("nodes.color_edit").ColorEdit
QueryPreservePatch = pack("nodes.query_preserve_patch").QueryPreservePatch
TrajectoryNode = pack("nodes.trajectory").TrajectoryNode
PRESETS = pack("swf_core.transfer.presets").PRESETS
ENCODINGS = pack("swf_core.transfer.trajectory").ENCODINGS
noise_levels = pack("nodes.host.transfer.noise_levels").noise_levels
torch.set_num_threads(1)
FOR_UNETS = [
    name
    for name, entry in pack("swf_core.presets").ENTRIES.items()
    if entry.values.get("kv") == "adaattn" or entry.values.get("contrast", 1.0) > 1.0
]


class Case:
    def __init__(self, family):
        self.family, self.model = family, tiny.tiny(family)
        channels = tiny.channels(self.model)
        self.framed = noise_levels(self.model.model).framed
        self.style, self.content = (
            {"samples": self.framed(draw(1, channels, *s, seed=k))} for k, s in enumerate(((16, 16), (16, 12)))
        )
        self.positive, self.negative = tiny.text(family, 5), tiny.text(family, 9, seed=1)

    def triple(self, **inputs):
        texts = {"positive": self.positive, "negative": self.negative}
        pictures = {"content": self.content, "style": self.style}
        few = {"steps": 3, "cfg": 2.0, "scheduler": "simple"}
        values = fresh(TripleSampler) | {"model": self.model} | texts | pictures | few | inputs
        return TripleSampler.execute(**values).result[0]["samples"]


def presets(case):
    results = {preset: case.triple(preset=preset) for preset in ("custom", *PRESETS) if preset not in FOR_UNETS}
    plain = results["custom"]
    report.setdefault("presets for UNets", {})[case.family] = error_messages(
        {preset: lambda preset=preset: case.triple(preset=preset) for preset in FOR_UNETS}
    )
    report.setdefault("presets: shapes", {})[case.family] = [list(x.shape) for x in results.values()]
    report.setdefault("presets: finite", {})[case.family] = all(bool(torch.isfinite(x).all()) for x in results.values())
    other = {"samples": case.style["samples"] + 1.0}
    report.setdefault("style matters", {})[case.family] = apart(case.triple(style=other), plain)
    report.setdefault("same again", {})[case.family] = apart(case.triple(), plain)
    report.setdefault("untwist matters", {})[case.family] = apart(case.triple(untwist="0,1"), plain)


def trajectories(case):
    """A trajectory as content, and its start under a plain sampler that adds no noise: back to the picture."""
    errors = {}
    for encoding in (*ENCODINGS, "auto"):
        values = fresh(TrajectoryNode) | {"model": case.model, "text": case.negative, "picture": case.content}
        values |= {"steps": 6, "scheduler": "simple", "denoise": 0.6, "encoding": encoding}
        trajectory, start = TrajectoryNode.execute(**values).result
        count = max(6, int(6 / 0.6))
        back = stock.KSamplerAdvanced().sample(
            case.model,
            "disable",
            0,
            count,
            1.0,
            "euler",
            "simple",
            case.negative,
            case.negative,
            start,
            count - 6,
            10_000,
            "disable",
        )[0]["samples"]
        errors[encoding] = apart(back, case.content["samples"])
        followed = case.triple(content=trajectory, denoise=0.6)
        assert torch.isfinite(followed).all()
    report.setdefault("back from a trajectory's start", {})[case.family] = errors


def patches(case):
    """The patch node under a stock sampler, its window of noise levels, and the whole way from a trajectory's start."""
    inputs = {"model": case.model, "style": case.style, "content": case.content, "reference_text": case.negative}

    def sampled(**more):
        values = fresh(QueryPreservePatch) | inputs | {"encoding": "auto", "layers": "auto"} | more
        on = QueryPreservePatch.execute(**values).result[0]
        return stock.KSampler().sample(
            on, 7, 4, 1.0, "euler", "simple", case.positive, case.negative, case.content, 1.0
        )[0]["samples"]

    full = sampled()
    report.setdefault("patch: window", {})[case.family] = apart(sampled(start_percent=0.5), full)
    plain = stock.KSampler().sample(
        case.model, 7, 4, 1.0, "euler", "simple", case.positive, case.negative, case.content, 1.0
    )[0]["samples"]
    report.setdefault("patch: style matters", {})[case.family] = apart(full, plain)
    report.setdefault("patch: scatter_sort matters", {})[case.family] = apart(sampled(kv="scatter_sort"), plain)


def whole_way(case):
    """From the very start of a flow, where the host scales a latent to nothing: the patched MODEL knows the noise."""
    values = fresh(TrajectoryNode) | {"model": case.model, "text": case.positive, "picture": case.content}
    values |= {"steps": 12, "scheduler": "simple", "encoding": "fixed_point"}
    trajectory, start = TrajectoryNode.execute(**values).result
    values = fresh(QueryPreservePatch) | {"model": case.model, "style": trajectory, "content": trajectory}
    values |= {"reference_text": case.positive, "positions": "same", "gamma": 0.0, "tau": 1.0, "layers": "all"}
    on = QueryPreservePatch.execute(**values).result[0]
    back = stock.KSamplerAdvanced().sample(
        on, "disable", 0, 12, 1.0, "euler", "simple", case.positive, case.positive, start, 0, 10_000, "disable"
    )[0]["samples"]
    report.setdefault("the whole way back", {})[case.family] = apart(back, case.content["samples"])


class Words:
    """A CLIP whose every text is another row of random tokens."""

    def __init__(self, family):
        self.family, self.texts = family, []

    def tokenize(self, text):
        self.texts.append(text)
        return len(self.texts)

    def encode_from_tokens_scheduled(self, number):
        return tiny.text(self.family, 5, seed=10 + number)


def random_vae():
    """A VAE of 16 channels in TAESD's layout, as the stock loader makes it."""
    network = comfy.taesd.taesd.TAESD(latent_channels=16)
    generator = torch.Generator().manual_seed(4)
    for weight in (*network.taesd_encoder.parameters(), *network.taesd_decoder.parameters()):
        weight.copy_(torch.randn(weight.shape, generator=generator) * 0.5 * weight[0].numel() ** -0.5)
    network.vae_scale.fill_(1.0)
    network.vae_shift.fill_(0.0)
    return comfy.sd.VAE(sd=network.state_dict())


def colors(case):
    """A MODEL with color guidance, alone and under a transfer."""
    edits = {"words": {"words": "the house is blue instead of red", "clip": Words(case.family)}}
    if case.content["samples"].dim() == 4:
        edits["palette"] = {"palette": "#ff0000, #101010", "vae": random_vae()}
    moved = {}
    for name, inputs in edits.items():
        on = ColorEdit.execute(**fresh(ColorEdit) | {"model": case.model} | inputs).result[0]
        moved[name] = apart(case.triple(model=on), case.triple())
    report.setdefault("colors move", {})[case.family] = moved


def lora_file(case, name, seed=3):
    """A LoRA of one layer of the network, by the host's generic name."""
    weight = case.model.model.diffusion_model.get_submodule(name).weight
    key = f"diffusion_model.{name}"
    return {
        f"{key}.lora_up.weight": draw(weight.shape[0], 2, seed=seed) * 0.2,
        f"{key}.lora_down.weight": draw(2, weight.shape[1], seed=seed + 1) * 0.2,
    }


LAYERS = {
    "Flux": "single_blocks.0.linear1",
    "SD3": "joint_blocks.0.x_block.attn.qkv",
    "Qwen-Image": "transformer_blocks.0.img_mlp.net.0.proj",
    "Lumina2": "layers.0.attention.qkv",
}


def loras(case):
    """A style file's LoRA on a MODEL, and one of another family."""
    on = put_lora(case.model, lora_file(case, LAYERS[case.family]), 1.0, "own.safetensors")
    report.setdefault("a LoRA matters", {})[case.family] = apart(case.triple(model=on), case.triple())
    report.setdefault("model again after a LoRA", {})[case.family] = apart(case.triple(), case.triple())
    others = {family: name for family, name in LAYERS.items() if family != case.family}
    zeros = {
        family: {
            f"diffusion_model.{name}.lora_up.weight": torch.zeros(4, 2),
            f"diffusion_model.{name}.lora_down.weight": torch.zeros(2, 4),
        }
        for family, name in others.items()
    }
    narrow = {key: value[..., :-1] for key, value in lora_file(case, LAYERS[case.family]).items()}
    report.setdefault("LoRAs refused", {})[case.family] = error_messages(
        {family: lambda f=file: put_lora(case.model, f, 1.0, "x.safetensors") for family, file in zeros.items()}
        | {"another width": lambda: put_lora(case.model, narrow, 1.0, "x.safetensors")}
    )


def refusals(case):
    report.setdefault("refusals", {})[case.family] = error_messages(
        {"untwist": lambda: case.triple(untwist="much"), "positions": lambda: case.triple(positions="there")}
    )


def unreached():
    """Networks of the host that no hook reaches, by class alone."""
    inspect_network = pack("nodes.host.transfer.inspection").inspect_network
    kinds = (PixArtMS, HunYuanDiT, VaceWanModel)
    networks = {kind.__name__: kind.__new__(kind) for kind in kinds}
    report["unreached"] = error_messages(
        {
            name: lambda network=network: inspect_network(SimpleNamespace(diffusion_model=network))
            for name, network in networks.items()
        }
    )


def newer():
    """What newer hosts make by these classes, told by its features; the networks themselves are not there to be run."""
    inspect_network, tokens = (
        pack("nodes.host.transfer.inspection").inspect_network,
        pack("nodes.host.transfer.transformer_layout"),
    )
    z_image, flux2 = tiny.tiny("Lumina2").model, tiny.tiny("Flux").model
    z_image.diffusion_model.pad_tokens_multiple = 32
    flux2.diffusion_model.pe_embedder.axes_dim = [6, 6, 6, 6]
    found = [inspect_network(model) for model in (z_image, flux2)]
    filled = tokens.CallSize(16, 12, 40, torch.tensor([[1] * 35 + [0] * 5]), ())
    picture = tokens.picture_tokens(found[0].transformer, filled, 0, 64 + 64)
    report["newer hosts"] = {
        "families": [network.family for network in found],
        "first token of Z-Image's picture behind 40 of text": picture.first,
        "axes of Flux.2's pictures": list(found[1].transformer.rope.picture_axes),
    }


with torch.inference_mode():
    for family in ("Flux", "SD3", "Qwen-Image", "Lumina2"):
        case = Case(family)
        for measure in (presets, trajectories, patches, whole_way, colors, loras, refusals):
            measure(case)
    unreached()
    newer()
write_report()
