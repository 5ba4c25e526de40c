"""The triple process on tiny models for tests: two pictures, fast options, and how far two results are apart."""

from __future__ import annotations

from swf_core.transfer import Content, Injection, TransferOptions, stylize

from support.tiny_models import picture, tiny_backend

CONTENT, STYLE = picture(1), picture(2)
FAST = TransferOptions(Injection(gamma=0.4, tau=1.5), steps=4)


def run(family, options=FAST, contents=(CONTENT,), styles=(STYLE,), **more):
    return stylize(tiny_backend(family), contents, styles, options, **more)


def with_prompt(prompt):
    return [Content(CONTENT, prompt)]


def apart(a, b):
    return float((a.latents[0] - b.latents[0]).abs().max())
