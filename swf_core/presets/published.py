"""Published ways of style transfer, each as the values that make the one transfer of this project behave like it.

What a paper asks of guidance by text is left to `cfg`: without a prompt there is nothing to guide.
"""

from __future__ import annotations

import math

from .entry import Preset

_LATE = "The late decoder layers are those of each family of models."
_START = "The content comes in by its inverted latent; the paper starts from noise and words."

PUBLISHED = {
    "styleid": Preset(
        "StyleID as published: content's queries ask the style's keys and values",
        source="arXiv 2312.09008, eq. 5-8; code jiwoogit/StyleID",
        published="gamma 0.75, T 1.5, decoder layers 6 to 11, 50 DDIM steps, empty prompt, no guidance, start AdaIN; "
        "features captured during inversion; start_step 49: 50 + 50 + 49 E.",
        departs=_LATE,
        values={"layers": "late", "gamma": 0.75, "tau": 1.5, "steps": 50, "adain": 1.0, "spacing": "styleid"},
        evaluations=149,
    ),
    "adain": Preset(
        "the style's tones alone, by AdaIN of the start latent: the baseline to beat",
        source="arXiv 1703.06868, eq. 8, on the noisy latent as in StyleID",
        departs="Latents in place of VGG's features, and no trained decoder.",
        values={"strength": 0.0, "steps": 30, "adain": 1.0},
        evaluations=90,
    ),
    "scheduled": Preset(
        "Scheduled Style Injection: StyleID, keeping less of the content's queries towards the end",
        source="NTIRE at CVPR 2026; code ameyskulkarni/scheduled_style_injection",
        published="StyleID with gamma falling from 0.75 to 0.375 over the steps by a cosine, its best schedule.",
        departs=_LATE + " Without its depth ControlNet, which it names as optional.",
        values={
            **{"layers": "late", "gamma": 0.75, "gamma_end": 0.375, "gamma_schedule": "cosine", "tau": 1.5},
            **{"steps": 50, "adain": 1.0, "spacing": "styleid"},
        },
        evaluations=149,
    ),
    "z-star": Preset(
        "Z-STAR: the content's own attention and the style's compete in one softmax",
        source="arXiv 2311.16491, eq. 9; code HolmesShuan/Zero-shot-Style-Transfer-via-Attention-Rearrangement",
        published="softmax([1.2 Q_c K_s, Q_c K_c]) [V_s, V_c], the last six self-attention layers, steps 5 to 29 of "
        "30, cfg 7.5 with empty prompts, null-text optimization of the content.",
        departs="No null-text optimization (it costs gradients), and so no guidance between two empty texts; the "
        "style's own row is read as it is, not mixed with the content's, and the latent is not drawn by 0.01 to the "
        "content's inverted one at each step. " + _LATE,
        values={"layers": "late", "gamma": 0.0, "tau": 1.2, "kv": "concat", "steps": 30, "adain": 0.0},
        window=(5.5 / 30, 1.0),
        evaluations=90,
    ),
    "style-aligned": Preset(
        "StyleAligned: queries and keys in the style's own range, and both pictures' tokens shared",
        source="arXiv 2312.02133, eq. 2 and 3; code google/style-aligned",
        published="Q and K by AdaIN to the reference's, attention over own and reference tokens together, the "
        "reference's logits plus log 2, every self-attention layer, 50 steps, inversion with cfg 2, sampling with 10.",
        departs=_START + " The normalization layers keep their own statistics; the inversion is not guided.",
        values={
            **{"layers": "all", "gamma": 0.0, "query_adain": 1.0, "key_adain": 1.0, "tau": 1.0, "kv": "shared"},
            **{"bias": math.log(2.0), "steps": 50, "adain": 0.0},
        },
        evaluations=151,
    ),
    "visual-style-prompting": Preset(
        "Visual Style Prompting: late layers read the style's keys and values with their own queries",
        source="arXiv 2402.12974; code naver-ai/Visual-Style-Prompting",
        published="Keys and values swapped in the late decoder layers, 50 steps, the style by added noise (no "
        "inversion), colors calibrated at 150 > t > 100, cfg 7.",
        departs=_START + " The style's noise is one for all steps, not drawn anew at each.",
        values={
            **{"layers": "late", "gamma": 0.0, "tau": 1.0, "steps": 50, "adain": 0.0},
            **{"style_encoding": "stochastic", "calibration": dict(amount=1.0, start=0.85, end=0.9)},
        },
        evaluations=150,
    ),
    "style-keeper": Preset(
        "StyleKeeper: Visual Style Prompting, guided away from a branch that asks with the style's queries",
        source="arXiv 2510.06827; code Slickytail/ComfyUI-StyleGuide, a replication",
        published="(1 + w) eps(Q, KV style) - w eps(Q style, KV), keys and values swapped in late layers, the style by "
        "added noise, colors calibrated between 50 and 80 % of the steps; the replication's cfg 3 is w 2.",
        departs=_START + " Both branches are changed in the same layers; the leaking one in the paper's earlier ones "
        "too.",
        values={
            **{"layers": "late", "gamma": 0.0, "tau": 1.0, "steps": 50, "adain": 0.0},
            **{"style_encoding": "stochastic", "leak_guard": 2.0},
            **{"calibration": dict(amount=1.0, start=0.5, end=0.8)},
        },
        evaluations=200,
    ),
    "cross-image": Preset(
        "Cross-Image Attention: the style's keys and values, attention with contrast, guided by what they change",
        source="arXiv 2311.03335, sec. 4; code garibida/cross-image-attention",
        published="Keys and values of the appearance picture in the decoder's layers, contrast 1.67, the latent's "
        "AdaIN from step 20 on, appearance guidance 3.5 falling to 1.75, 100 steps of which 32 are skipped, "
        "edit-friendly inversion with cfg 3.5.",
        departs="DDIM inversion, which is not guided. The guidance is its mean, 2.6, all along; AdaIN moves the "
        "predicted clean latent, the whole of it without masks; the guided prediction is not rescaled; the structure "
        "picture's own keys and values do not come back at every fifth step.",
        values={
            **{"layers": "late", "gamma": 0.0, "tau": 1.0, "contrast": 1.67, "style_guidance": 1.625},
            **{"steps": 100, "denoise": 0.68, "adain": 0.0, "calibration": dict(amount=1.0, start=0.52, end=1.0)},
        },
        window=(0.425, 1.0),
        evaluations=262,
    ),
    "masactrl": Preset(
        "MasaCtrl: the content's own keys and values; what is new comes from the prompt alone",
        source="arXiv 2304.08465; code TencentARC/MasaCtrl",
        published="Keys and values of the source picture from step 4 of 50 and in the decoder's layers on, own "
        "queries, DDIM inversion, cfg 7.5.",
        departs="The style picture is not read: give its words as the prompt. " + _LATE,
        values={"layers": "late", "gamma": 0.0, "tau": 1.0, "read": "content", "steps": 50, "adain": 0.0},
        window=(4.5 / 50, 1.0),
        evaluations=100,
    ),
    "attenst": Preset(
        "AttenST: StyleID's attention, inversion refined at each step, tones mixed of both pictures",
        source="arXiv 2503.07307; code HuanBor/AttenST",
        published="Q = 0.75 Q_c + 0.25 Q, T 1.5, two transformers of the decoder, 40 steps, cfg 1, five resamplings of "
        "each inversion step, start with 0.6 of the style's statistics and 0.4 of the content's, two IP-Adapters.",
        departs="Without its IP-Adapters. The resampled inversion is the fixed point alone, not an average. " + _LATE,
        values={"layers": "late", "gamma": 0.75, "tau": 1.5, "steps": 40, "adain": 0.6, "refinements": 5},
        evaluations=522,
    ),
    "stylessp": Preset(
        "StyleSSP: a start with less of the content's low frequencies",
        source="arXiv 2501.11319; code bytedance/StyleSSP",
        published="z' = highpass(z) + 0.7 lowpass(z) + 0.3 noise, a Gaussian of 0.3 of Nyquist; negative guidance in "
        "the inversion; the style by an IP-Adapter, the drawing by two ControlNets; 50 steps.",
        departs="The style comes by its keys and values in the late layers, the drawing by the start alone: no "
        "adapters here. No guidance in the inversion, for there are no words in it.",
        values={"layers": "late", "gamma": 0.0, "tau": 1.0, "steps": 50, "adain": 0.0, "low_frequencies": 0.7},
        evaluations=151,
    ),
    "adaattn": Preset(
        "AdaAttN: each point's mean and variance from what the style says there, by attention",
        source="arXiv 2108.03647, eq. 4-6; code Huage001/AdaAttN",
        published="A = softmax(norm(Q_c) norm(K_s)), M = A V, S = sqrt(A V^2 - M^2), out = S norm(F_c) + M on VGG's "
        "relu3_1 to relu5_1 with a trained decoder.",
        departs="The network's own queries, keys and values in place of VGG's features, its denoising in place of the "
        "decoder; the content's queries take the statistics of the style's own, where both sides are normalized.",
        values={
            **{"layers": "all", "gamma": 1.0, "query_adain": 1.0, "tau": 1.0, "kv": "adaattn"},
            **{"steps": 30, "adain": 0.0},
        },
        evaluations=92,
    ),
}
