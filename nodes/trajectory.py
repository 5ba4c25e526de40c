"""SWF_Trajectory: a picture's latents along the noise levels (its inversion), made once and used often."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import comfy.sample
import comfy.samplers
import latent_preview
import torch
from comfy_api.latest import io

from ..swf_core.errors import UserError
from ..swf_core.transfer.defaults import SCHEDULER, STEPS
from ..swf_core.transfer.trajectory import Encoding, Trajectory
from .host.latents import LatentTrajectory, beside_samples, latent_from
from .host.schema import schema
from .host.transfer.denoiser import HostDenoiser, PlainConditioning
from .host.transfer.encodings import chosen_encoding, encoding_input
from .host.transfer.inspection import inspect_network
from .host.transfer.reference import invert
from .host.transfer.sources import TrajectoryType, picture_latents, size_input, working_size
from .host.transfer.texts import text_or_empty


class TrajectoryNode(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema(
            "SWF_Trajectory",
            "Trajectory (DDIM inversion)",
            "Finds the noisy latents that lead to a picture, level by level, so that style transfer follows the "
            "picture itself. Also gives the last of them as a LATENT, for a sampler that adds no noise.",
            inputs=[
                io.Model.Input("model", tooltip="The model that the picture is to be followed with."),
                io.Conditioning.Input(
                    "text",
                    optional=True,
                    tooltip="What the picture shows; an empty prompt is the usual choice, and what is taken without "
                    "it, by 'clip' (mini needs no clip).",
                ),
                io.MultiType.Input(
                    "picture", [io.Latent, io.Image], tooltip="A LATENT, or an IMAGE (then connect vae)."
                ),
                io.Vae.Input("vae", optional=True, tooltip="Encodes the picture; not needed for a latent."),
                io.Int.Input(
                    "steps", default=STEPS, min=1, max=1000, tooltip="Noise levels; best the sampler's count."
                ),
                io.Combo.Input(
                    "scheduler",
                    options=list(comfy.samplers.KSampler.SCHEDULERS),
                    default=SCHEDULER,
                    tooltip="How the levels are spaced; best the sampler's own.",
                ),
                io.Float.Input(
                    "denoise",
                    default=1.0,
                    min=0.01,
                    max=1.0,
                    step=0.01,
                    tooltip="How far up it goes, as the sampler's denoise; 1 is all the way.",
                ),
                encoding_input(),
                io.Int.Input(
                    "refinements",
                    default=0,
                    min=0,
                    max=20,
                    tooltip="Fixed-point refinements of each step, each costs one call; 0 is plain DDIM inversion.",
                ),
                io.Int.Input(
                    "forward_first",
                    default=0,
                    min=0,
                    max=50,
                    tooltip="First steps that add noise instead: against blotches in flat skies; 0 is none.",
                ),
                io.Int.Input(
                    "seed",
                    default=0,
                    min=0,
                    max=2**63 - 1,
                    control_after_generate=False,
                    tooltip="Of the added noise; without effect where none is added.",
                ),
                io.Clip.Input("clip", optional=True, tooltip="Encodes the empty text where 'text' is not connected."),
                size_input(),
            ],
            outputs=[
                TrajectoryType.Output(display_name="trajectory", tooltip="For the content or style of a transfer."),
                io.Latent.Output(
                    display_name="start",
                    tooltip="The noisiest latent: for KSampler (Advanced) with add_noise off and the same steps.",
                ),
            ],
            search_aliases=["DDIM inversion", "unsampler", "invert", "noise inversion"],
        )

    @classmethod
    def execute(
        cls,
        model: Any,
        picture: Any,
        steps: int,
        scheduler: str,
        denoise: float,
        encoding: str,
        refinements: int,
        forward_first: int,
        seed: int,
        text: Any = None,
        vae: Any = None,
        clip: Any = None,
        size: int = 0,
    ) -> io.NodeOutput:
        network = inspect_network(model.model)
        text = text_or_empty(text, clip, network, "text")
        latents = picture_latents(picture, vae, "picture", working_size(size, network.native_size_px))
        latent_encoding = Encoding(chosen_encoding(encoding, network), refinements, forward_first, seed)
        sampling = model.get_model_object("model_sampling")
        levels = comfy.samplers.calculate_sigmas(sampling, scheduler, max(steps, int(steps / denoise)))[-(steps + 1) :]
        fixed = comfy.sample.fix_empty_latent_channels(model, latents)
        if fixed.shape[1] != latents.shape[1]:
            raise UserError(
                f"The latent has {latents.shape[1]} channels, this model {fixed.shape[1]}; encode the picture "
                "with this model's own VAE."
            )
        trajectories: list[Trajectory] = []

        start = comfy.sample.sample_custom(
            model,
            torch.zeros_like(fixed),
            1.0,
            comfy.samplers.KSAMPLER(_climber(text, latent_encoding, trajectories)),
            levels,
            text,
            text,
            fixed,
            callback=latent_preview.prepare_callback(model, max(1, latent_encoding.evaluations(len(levels) - 1))),
            disable_pbar=True,
            seed=seed,
        )
        return io.NodeOutput(_on_cpu(trajectories[0], beside_samples(picture)), latent_from(picture, start))


def _climber(text: Any, encoding: Encoding, found: list[Trajectory]) -> Callable[..., Any]:
    """A "sampler" that goes up, and puts the trajectory into `found`: the host has loaded the model, prepared the
    latents and cleans up after it."""

    def climb(wrapped: Any, x: Any, sigmas: Any, extra_args: Any, callback: Any, disable: Any) -> Any:
        denoiser = HostDenoiser(wrapped.inner_model.inner_model, extra_args["model_options"])
        noise, conditioning = denoiser.levels, PlainConditioning(text)
        denoiser.check_text(conditioning)
        rising = [noise.sigma(s) for s in sigmas.flip(0) if float(s) > 0.0]

        def preview(step: int, x0: Any, latent: Any, total: int) -> None:
            callback({"i": step, "denoised": noise.framed(x0), "x": noise.framed(latent)})

        clean, on_step = noise.picture(wrapped.latent_image), preview if callback else None
        trajectory = invert(denoiser, conditioning, clean, rising, encoding, "picture", on_step)
        found.append(trajectory)
        return noise.framed(trajectory.at(rising[-1])).to(x)

    return climb


def _on_cpu(trajectory: Trajectory, beside: dict[str, Any]) -> LatentTrajectory:
    def move(x: Any) -> Any:
        return None if x is None else x.cpu()

    points = {sigma: x.cpu() for sigma, x in trajectory.points.items()}
    noises = move(trajectory.noise), move(trajectory.statistics_noise)
    return LatentTrajectory(trajectory.clean.cpu(), points, *noises, beside)
