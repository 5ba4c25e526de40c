"""The stories of words and training, each on the embedded model and on Stable Diffusion 1.5."""

from __future__ import annotations

from making.checkpoint_story import CheckpointStory
from making.graph import Graph
from making.mini_story import HOUSE, WINDOW, MiniStory

# What the gallery shows: contents far from the style picture's.
GALLERY_PROMPTS = "\n".join(
    (
        "a yellow boat by the sea at sunset",
        "a white cat in the snow at night",
        "a blue car on the sand at noon",
        "a green tree on the grass at noon",
        "a red umbrella by the sea at noon",
        "a purple vase on the sand at noon",
    )
)


def caption_and_strip_on_mini(graph: Graph) -> None:
    """What pictures show, in words, without the words for how they are made."""
    s = MiniStory(graph, HOUSE, WINDOW)
    both = graph.add(
        "ImageBatch", 3, 0, "Both pictures", image1=s.decoded(s.content, 2, 300), image2=s.decoded(s.style, 2, 1200)
    )
    captions = graph.add("SWF_BlipCaption", 3, 120, image=(both, 0), captioner="mini", clip="mini")
    stripped = graph.add(
        "SWF_StyleStrip",
        4,
        120,
        caption=(captions, 0),
        media=(captions, 2),
        image=(both, 0),
        method="offline",
        llm="none",
        clip="mini",
    )
    graph.add("PreviewAny", 5, 120, "What they show", source=(stripped, 0))
    graph.add("PreviewAny", 5, 320, "Removed", source=(stripped, 1))
    graph.add("PreviewAny", 5, 520, "Report", source=(stripped, 3))
    graph.add("SaveImage", 5, 720, "The pictures", images=(both, 0), filename_prefix="StyleWallfacer/caption and strip")
    graph.note(
        "## Caption and strip\n**BLIP Caption** says what each picture shows, **Style-Strip LLM** takes out the words "
        "for how it is made. Click a candidate, or a struck piece to keep it, or write into **edited**, one line a "
        "picture; then run again. The mini captioner knows its small world alone: choose a BLIP for your own pictures.",
        3,
        760,
        (700, 160),
    )


def teach_on_mini(graph: Graph) -> None:
    """A style learnt from one picture, with a person's picks, then used from words and on a picture."""
    s = MiniStory(graph, HOUSE, "a photo of a yellow boat by the sea at noon")
    negative = graph.add("ImageInvert", 3, 430, "A style mini never saw: a negative", image=s.decoded(s.style, 2, 1200))
    graph.add("PreviewImage", 3, 560, "The style picture", images=(negative, 0))
    captions = graph.add("SWF_BlipCaption", 3, 860, image=(negative, 0), captioner="mini", clip="mini")
    stripped = graph.add(
        "SWF_StyleStrip", 4, 860, caption=(captions, 0), media=(captions, 2), method="offline", llm="none", clip="none"
    )
    data = graph.add("SWF_StyleDataset", 4, 430, image=(negative, 0), captions=(stripped, 0))
    training = graph.add(
        "SWF_LoraTrain",
        5,
        430,
        model=s.model,
        clip=s.clip,
        vae=s.vae,
        dataset=(data, 0),
        run_name="a negative",
        steps=100,
        sample_every=50,
        prompts=GALLERY_PROMPTS,
    )
    graph.add("PreviewImage", 5, 1000, "Losses and signals", images=(training, 4))
    picks = graph.add("SWF_FeedbackGallery", 6, 430, "Which samples are good?", run=(training, 5))
    resumed = graph.add("SWF_TrainOn", 8, 430, model=s.model, clip=s.clip, vae=s.vae, run=(picks, 0), steps=40)
    graph.add("SWF_FeedbackGallery", 9, 430, "After the picks", run=(resumed, 5), mode="saved picks")
    prompt = s.text("a white cat on the grass at noon", 5, 0, "What to show, no word of style")
    lora_prompt = graph.add(
        "ConditioningSetProperties", 6, 0, "The LoRA for this prompt alone", cond_NEW=(prompt, 0), hooks=(resumed, 7)
    )
    blank = graph.add("EmptyLatentImage", 6, 220, width=128, height=128, batch_size=4)
    result = s.sample(
        9, 0, "From words", model=s.model, positive=(lora_prompt, 0), latent_image=(blank, 0), seed=5, steps=16, cfg=5.0
    )
    s.save(result, 10, 0, "taught, from words")
    repainted = s.repaint(11, 430, "On a picture", model=(resumed, 0), style=(negative, 0), vae=s.vae)
    s.save(repainted, 12, 430, "taught, on a picture")
    graph.note(
        "## Teach a style\nOne picture, captioned, its caption stripped of style words; what is left unsaid is what "
        "the LoRA learns. **hooks** puts it on the positive prompt alone, so that guidance does not subtract the style "
        "again; **MODEL** has it everywhere.\n\nThe **gallery** waits for you: click the good samples, then *Train on*."
        " They join the picture in the next round. Change a pick later and run again: another round begins from there.",
        0,
        1420,
        (700, 220),
    )


def caption_and_strip_on_sd15(graph: Graph) -> None:
    """The content's caption without its style words says what to paint, the style picture how, on SD1.5."""
    s = CheckpointStory(graph)
    captions = graph.add(
        "SWF_BlipCaption",
        2,
        0,
        image=s.content_picture,
        captioner="download: blip-image-captioning-base",
        clip="download: clip-vit-large-patch14",
    )
    stripped = graph.add(
        "SWF_StyleStrip",
        2,
        620,
        caption=(captions, 0),
        media=(captions, 2),
        image=s.content_picture,
        method="offline",
        llm="none",
        clip="download: clip-vit-large-patch14",
    )
    graph.add("PreviewAny", 3, 620, "What it shows", source=(stripped, 0))
    graph.add("PreviewAny", 3, 820, "Report", source=(stripped, 3))
    prompt = graph.add("CLIPTextEncode", 3, 0, "What to show", clip=s.clip, text=(stripped, 0))
    patched = s.patched(3, 1020)
    result = s.sample(
        4,
        0,
        model=patched,
        positive=(prompt, 0),
        latent_image=s.content,
        seed=3,
        steps=30,
        cfg=4.0,
        sampler_name="dpmpp_2m",
        scheduler="karras",
        denoise=0.8,
    )
    s.save(result, 5, 0, "caption and strip SD")
    graph.note(
        "## Caption and strip\nThe first run **downloads** "
        "[BLIP base](https://huggingface.co/Salesforce/blip-image-captioning-base) (1 GB) and "
        "[CLIP](https://huggingface.co/openai/clip-vit-large-patch14) (1.7 GB); to have none of it, put their files "
        "into folders in models/blip and models/clip_whole and choose those. For *Style-Strip*, **endpoint** asks "
        "Ollama on this machine. Click a candidate or a struck piece, or write into **edited**; then run again.",
        4,
        520,
        (320, 240),
    )


def teach_on_sd15(graph: Graph) -> None:
    """A style learnt from one picture, with a person's picks, then used from words and on a picture, on SD1.5."""
    s = CheckpointStory(graph)
    captions = graph.add(
        "SWF_BlipCaption", 2, 0, image=s.style_picture, captioner="download: blip-image-captioning-base", clip="none"
    )
    stripped = graph.add(
        "SWF_StyleStrip", 2, 620, caption=(captions, 0), media=(captions, 2), method="offline", llm="none", clip="none"
    )
    data = graph.add("SWF_StyleDataset", 3, 620, image=s.style_picture, captions=(stripped, 0))
    training = graph.add(
        "SWF_LoraTrain",
        4,
        620,
        model=s.model,
        clip=s.clip,
        vae=s.vae,
        dataset=(data, 0),
        run_name="my style",
        steps=600,
        sample_every=100,
    )
    graph.add("PreviewImage", 4, 1200, "Losses and signals", images=(training, 4))
    picks = graph.add("SWF_FeedbackGallery", 5, 620, "Which samples are good?", run=(training, 5))
    resumed = graph.add("SWF_TrainOn", 7, 620, model=s.model, clip=s.clip, vae=s.vae, run=(picks, 0), steps=200)
    graph.add("SWF_FeedbackGallery", 8, 620, "After the picks", run=(resumed, 5), mode="saved picks")
    prompt = graph.add("CLIPTextEncode", 4, 0, "What to show, no word of style", clip=s.clip, text="a fox in a forest")
    lora_prompt = graph.add(
        "ConditioningSetProperties", 4, 220, "The LoRA for this prompt alone", cond_NEW=(prompt, 0), hooks=(resumed, 7)
    )
    blank = graph.add("EmptyLatentImage", 4, 420, width=512, height=512)
    result = s.sample(
        8,
        0,
        "From words",
        model=s.model,
        positive=(lora_prompt, 0),
        latent_image=(blank, 0),
        seed=5,
        steps=30,
        cfg=5.0,
        sampler_name="dpmpp_2m",
        scheduler="karras",
    )
    s.save(result, 9, 0, "taught, from words SD")
    repainted = s.repaint(10, 620, "On a picture", model=(resumed, 0))
    s.save(repainted, 11, 620, "taught, on a picture SD")
    graph.note(
        "## Teach a style\nThe first run **downloads** "
        "[BLIP base](https://huggingface.co/Salesforce/blip-image-captioning-base) (1 GB), unless its files lie in a "
        "folder in models/blip. 600 steps take some minutes on a GPU; cancel whenever you like and run again to go on. "
        "**hooks** puts the LoRA on the positive prompt alone, so that guidance does not subtract the style again.\n\n"
        "The **gallery** waits for you: click the good samples, then *Train on*. They join the picture in the next "
        "round.",
        2,
        1240,
        (700, 220),
    )


STORIES = {
    "mini caption and strip": caption_and_strip_on_mini,
    "mini teach a style": teach_on_mini,
    "SD1.5 caption and strip": caption_and_strip_on_sd15,
    "SD1.5 teach a style": teach_on_sd15,
}
