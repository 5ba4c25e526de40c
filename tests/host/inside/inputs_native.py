"""Run by ComfyUI's Python in its folder: REPORT (JSON). What every node answers to wrong inputs.

The report holds sentences: {node: {input and value: the message}}; what is no sentence of ours is the exception's type.
"""

from native_tools import draw, model, pack, report, torch, write_report

from comfy_api.latest import io  # isort: skip

NAN, INF = float("nan"), float("inf")
NONE_AT = "none"


def message(node, inputs):
    """The sentence with which a node refuses these inputs, or the type of what else it raised."""
    try:
        node.execute(**inputs)
    except ValueError as error:
        return str(error) if type(error).__name__ == "UserError" else type(error).__name__
    except Exception as error:
        return type(error).__name__
    return "it was not refused"


def wrong_values(spec):
    """Values that this input must refuse, by name."""
    if isinstance(spec, (io.Float.Input, io.Int.Input)):
        values = {"NaN": NAN, "infinite": INF, "text": "much"}
        return values | ({} if spec.max is None else {"above": spec.max + 1, "below": spec.min - 1})
    if isinstance(spec, io.Combo.Input):
        return {"unknown": "no such thing"} if spec.options else {}
    kind, values = spec.get_io_type(), {}
    if {"INT", "FLOAT", "BOOLEAN", "STRING", "*"}.isdisjoint(kind.split(",")):  # its value comes by a link
        values |= {"a string": "text", "a number": 3}
    if kind in ("IMAGE", "MASK"):
        values["NaN"] = torch.full((1, 8, 8, 3) if kind == "IMAGE" else (1, 8, 8), NAN)
        values["one side"] = torch.zeros(8)
    if "LATENT" in kind.split(","):
        values["no samples"] = {"samples": None}
    return values


def every_node():
    for node in pack("nodes").node_list():
        schema = node.define_schema()
        answers = report[schema.node_id] = {}
        for spec in schema.inputs:
            if spec.id in getattr(node, "NAMES_MODELS", ()):
                continue  # tests/host/test_words_nodes.py
            values = wrong_values(spec) | ({} if spec.optional else {NONE_AT: None})
            for name, value in values.items():
                given = [value] if schema.is_input_list else value
                answers[f"{spec.id}: {name}"] = message(node, {spec.id: given})


def settings():
    patch = pack("nodes").node_list()[1]
    pictures = {"style": {"samples": draw(1, 4, 8, 8)}, "content": {"samples": draw(1, 4, 8, 8)}}
    dials = {i.id: i.default for i in patch.define_schema().inputs if getattr(i, "default", None) is not None}
    for name in ("gamma", "style_guidance", "leak_guard", "tau"):
        text = f'{{"{name}": NaN}}'
        report.setdefault("settings", {})[name] = message(patch, dials | pictures | {"model": model, "settings": text})


with torch.inference_mode():
    every_node()
    settings()
write_report()
