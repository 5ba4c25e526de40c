"""SWF_FeedbackGallery: a person says which samples of a run are good; they are what the next round learns from."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from .host.schema import schema
from .host.training.paths import RunType

PAUSE, TWO_STEP, SAVED, AUTO = "pause", "two-step", "saved picks", "auto"
STOP = "stop"


class FeedbackGallery(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        from .host.words_models import options

        return schema(
            "SWF_FeedbackGallery",
            "Human Feedback Gallery",
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
                io.Combo.Input("clip", options=options("clip"), tooltip="What 'auto' looks with; mini's knows mini."),
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
        """Picks live on disk: when any changed, look again."""
        from .host.training.paths import runs_folder

        stamps = [(p.parent.name, p.stat().st_mtime_ns) for p in runs_folder().glob("*/picks.json")]
        return str(sorted(stamps))

    @classmethod
    def execute(
        cls, run: Any, mode: str, otherwise: str, timeout: float, count: int, clip: str, selection: str
    ) -> io.NodeOutput:
        from ..swf_core.learn import picks
        from ..swf_core.learn.pick_selection import selected
        from .host.gallery.server import DESK, somebody_queued, tell

        node = str(getattr(cls.hidden, "unique_id", "") or "")
        told = {
            "token": DESK.token(run.folder),
            "node": node,
            "step": run.step,
            "name": run.name,
            "client": somebody_queued(),
        }
        tell("show", told)
        if selection.strip():
            taken, outcome = selected(run.folder, selection, run.step), "the picks of 'selection'"
        else:
            outcome = _outcome(run, mode, otherwise, timeout, count, clip, node)
            if outcome is None:
                return _blocked(told)
            taken = picks.taken(run.folder, run.step)
        return _results(run, taken, outcome, told)


def _outcome(run: Any, mode: str, otherwise: str, timeout: float, count: int, clip: str, node: str) -> str | None:
    """Have the picks made; how, in words. None: it ends here until somebody picked."""
    from ..swf_core.errors import UserError
    from ..swf_core.learn import picks
    from .host.gallery.server import wait_for_person

    if mode in (PAUSE, TWO_STEP) and run.step in picks.read(run.folder)["answered"]:
        return "the picks of before; change one to be asked again"
    if mode == TWO_STEP:
        return None
    front = ""
    if mode == PAUSE:
        ended = wait_for_person(run.folder, node, run.step, timeout)
        if ended == "answered":
            return "picked"
        front = {
            "nobody": "no page shows the gallery",
            "closed": "the page was closed",
            "timeout": f"nobody answered for {timeout:g} s",
        }[ended]
        if otherwise == STOP:
            raise UserError(f"The gallery stopped: {front}; queue again to pick, the run and its picks are kept.")
        front, mode = f"{front}: ", otherwise
    if mode == AUTO:
        taken = _auto(run, count, clip)
        return f"{front}{len(taken)} samples picked automatically"
    return f"{front}the saved picks"


def _auto(run: Any, count: int, clip: str) -> list[str]:
    """Let the automatic picker accept samples of the stage's last look."""
    from ..swf_core.errors import UserError
    from ..swf_core.learn import picks
    from ..swf_core.learn.run import open_run
    from ..swf_core.words.clip import load_clip
    from .host.words_models import EMBEDDED, NONE, in_use

    job = open_run(run.folder)
    if clip == NONE or (clip == EMBEDDED and job.model["family"] != "mini"):
        raise UserError("Automatic picks need a CLIP that knows such pictures; choose one under 'clip'.")
    with in_use("clip", clip, lambda w, d: load_clip(w, download=d), False) as ranker:
        found = picks.auto_pick(job, ranker, count, run.step)
    picks.judge(run.folder, accept=found)
    return found


def _blocked(told: dict[str, Any]) -> io.NodeOutput:
    """Nothing behind this node runs; the page shows the samples."""
    from comfy_execution.graph import ExecutionBlocker  # pyright: ignore[reportMissingImports]

    ui = {"swf_gallery": [told | {"outcome": ""}]}
    return io.NodeOutput(*[ExecutionBlocker(None)] * 4, ui=ui)


def _results(run: Any, taken: dict[str, str], outcome: str, told: dict[str, Any]) -> io.NodeOutput:
    from dataclasses import replace

    from ..swf_core.learn import picks
    from ..swf_core.learn.run_summary import picture_file
    from ..swf_core.pictures import load
    from .host.training.paths import as_batch

    known = picks.records(run.folder)
    refused = [i for i in picks.read(run.folder)["rejected"] if i in known and known[i]["step"] <= run.step]
    good, bad = ([load(picture_file(run.folder, i)).pixels for i in ids] for ids in (taken, refused))
    report = f"{outcome}: {len(taken)} accepted, {len(refused)} rejected\nselection: {','.join(taken) or 'none'}"
    return io.NodeOutput(
        replace(run, picks=tuple(taken.items())),
        as_batch(good),
        as_batch(bad),
        report,
        ui={"text": [report], "swf_gallery": [told | {"outcome": outcome}]},
    )
