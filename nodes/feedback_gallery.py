"""SWF_FeedbackGallery: a person says which samples of a run are good; they are what the next round learns from."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from comfy_api.latest import io

from ..swf_core.errors import UserError
from .host.caption_models import EMBEDDED, NONE, loaded_model, model_choices
from .host.gallery.server import TOKENS, queueing_client, send_event, wait_for_person
from .host.gallery.users import running_owner
from .host.schema import schema
from .host.training.paths import RunType, as_batch, runs_folder

if TYPE_CHECKING:
    from ..swf_core.learn.fork import RunAt

PAUSE, TWO_STEP, SAVED, AUTO = "pause", "two-step", "saved picks", "auto"
STOP = "stop"


class FeedbackGallery(io.ComfyNode):
    NAMES_MODELS = ("clip",)

    @classmethod
    def define_schema(cls):
        return schema(
            "SWF_FeedbackGallery",
            "Human Feedback Gallery (pick images)",
            "Shows a run's samples beside its style picture; those you accept join the training, those you reject are "
            "remembered. Every click is kept at once.",
            inputs=[
                RunType.Input("run", tooltip="From LoRA Style Train or LoRA Train On."),
                io.Combo.Input(
                    "mode",
                    options=[PAUSE, TWO_STEP, SAVED, AUTO],
                    tooltip="pause: the graph waits for you. two-step: it ends here and 'Train on' takes it up again. "
                    "saved picks: what was picked before. auto: the samples most like the style, no copies.",
                ),
                io.Combo.Input(
                    "otherwise",
                    options=[SAVED, AUTO, STOP],
                    tooltip="When 'pause' finds nobody, the page is closed, or time runs out.",
                ),
                io.Float.Input(
                    "timeout",
                    default=0.0,
                    min=0.0,
                    max=86400.0,
                    step=1.0,
                    tooltip="Seconds that 'pause' waits at most; 0: as long as the page is open.",
                ),
                io.Int.Input("count", default=4, min=1, max=100, tooltip="How many samples 'auto' takes."),
                io.Combo.Input(
                    "clip", options=model_choices("clip"), tooltip="What 'auto' looks with; mini's knows mini."
                ),
                io.String.Input(
                    "selection",
                    default="",
                    tooltip="Names samples here and nobody is asked: places among the last samples (0,2), step:place "
                    "(100:2), or ids; 'none' for none.",
                ),
            ],
            outputs=[
                RunType.Output(display_name="run", tooltip="The run with its picks, for LoRA Train On."),
                io.Image.Output(display_name="picked", tooltip="The accepted samples."),
                io.Image.Output(display_name="rejected", tooltip="The rejected samples."),
                io.String.Output(display_name="report", tooltip="What became of it, and the picks as a selection."),
            ],
            is_output_node=True,
            hidden=[io.Hidden.unique_id],
            search_aliases=["image picker", "human in the loop", "choose images", "image filter", "feedback"],
        )

    @classmethod
    def fingerprint_inputs(cls, **_: Any) -> str:
        """Picks live on disk: when any changed, or another user asks, the node runs again."""
        owner = running_owner()
        stamps = [(p.parent.name, p.stat().st_mtime_ns) for p in runs_folder(owner).glob("*/picks.json")]
        return f"{owner}{sorted(stamps)}"

    @classmethod
    def execute(
        cls, run: RunAt, mode: str, otherwise: str, timeout: float, count: int, clip: str, selection: str
    ) -> io.NodeOutput:
        from ..swf_core.learn.pick_selection import parse_selection
        from ..swf_core.learn.picks import accepted_captions

        node = str(getattr(cls.hidden, "unique_id", "") or "")
        payload = {
            "token": TOKENS.token(run.folder),
            "node": node,
            "step": run.step,
            "name": run.name,
            "client": queueing_client(),
        }
        send_event("show", payload, running_owner())
        if selection.strip():
            captions, outcome = parse_selection(run.folder, selection, run.step), "the picks of 'selection'"
        else:
            outcome = _outcome(run, mode, otherwise, timeout, count, clip, node)
            if outcome is None:
                return _blocked(payload)
            captions = accepted_captions(run.folder, run.step)
        return _results(run, captions, outcome, payload)


def _outcome(run: RunAt, mode: str, otherwise: str, timeout: float, count: int, clip: str, node: str) -> str | None:
    """Have the picks made; returns how, in words. None: the graph ends here until somebody picked."""
    from ..swf_core.learn.picks import read_picks

    if mode in (PAUSE, TWO_STEP) and run.step in read_picks(run.folder)["answered"]:
        return "the picks of before; change one to be asked again"
    if mode == TWO_STEP:
        return None
    reason = ""
    if mode == PAUSE:
        ended = wait_for_person(run.folder, node, run.step, timeout)
        if ended == "answered":
            return "picked"
        reason = {
            "nobody": "no page shows the gallery",
            "closed": "the page was closed",
            "timeout": f"nobody answered for {timeout:g} s",
        }[ended]
        if otherwise == STOP:
            raise UserError(f"The gallery stopped: {reason}; queue again to pick, the run and its picks are kept.")
        reason, mode = f"{reason}: ", otherwise
    if mode == AUTO:
        sample_ids = _auto(run, count, clip)
        return f"{reason}{len(sample_ids)} samples picked automatically"
    return f"{reason}the saved picks"


def _auto(run: RunAt, count: int, clip: str) -> list[str]:
    """Let the automatic picker accept samples of the last evaluation up to the run's step; their ids."""
    from ..swf_core.learn.picks import auto_pick, set_verdict
    from ..swf_core.learn.run import open_run
    from ..swf_core.words.clip import load_clip

    stored = open_run(run.folder)
    if clip == NONE or (clip == EMBEDDED and stored.model["family"] != "mini"):
        raise UserError("Automatic picks need a CLIP that knows such pictures; choose one under 'clip'.")
    with loaded_model("clip", clip, lambda w, d: load_clip(w, download=d), False) as ranker:
        sample_ids = auto_pick(stored, ranker, count, run.step)
    set_verdict(run.folder, accept=sample_ids)
    return sample_ids


def _blocked(payload: dict[str, Any]) -> io.NodeOutput:
    """Nothing behind this node runs; the page shows the samples."""
    from comfy_execution.graph import ExecutionBlocker  # pyright: ignore[reportMissingImports]

    ui = {"swf_gallery": [payload | {"outcome": ""}]}
    return io.NodeOutput(*[ExecutionBlocker(None)] * 4, ui=ui)


def _results(run: RunAt, captions: dict[str, str], outcome: str, payload: dict[str, Any]) -> io.NodeOutput:
    """The node's outputs for the accepted samples (`captions` by id), and what the page shows of them."""
    from ..swf_core.learn.picks import pickable_samples, read_picks
    from ..swf_core.learn.run_summary import picture_file
    from ..swf_core.pictures import load

    known = pickable_samples(run.folder)
    rejected = [i for i in read_picks(run.folder)["rejected"] if i in known and known[i]["step"] <= run.step]
    report = f"{outcome}: {len(captions)} accepted, {len(rejected)} rejected\nselection: {','.join(captions) or 'none'}"
    return io.NodeOutput(
        replace(run, picks=tuple(captions.items())),
        as_batch([load(picture_file(run.folder, i)).pixels for i in captions]),
        as_batch([load(picture_file(run.folder, i)).pixels for i in rejected]),
        report,
        ui={"text": [report], "swf_gallery": [payload | {"outcome": outcome}]},
    )
