"""Run by ComfyUI's Python in its folder: REPORT (JSON). What inverted pictures showed, kept for the next sampling.

Every value of the report is a greatest absolute difference between two latents, or a count.
"""

import logging
import weakref

from native_tools import (
    STORE,
    Encoding,
    FeatureStore,
    apart,
    draw,
    model,
    pack,
    patched,
    repainted,
    report,
    rows_of_calls,
    sample,
    torch,
    write_report,
)

style, content = draw(1, 4, 16, 16, seed=1), draw(1, 4, 12, 16, seed=3)
counts = report["E"] = {}


def run(name, own_content, store, steps=4):
    result = sample(patched(model, style, own_content, encoding=Encoding(), store=store), steps=steps)
    counts[name] = sum(rows_of_calls)
    return result


def pictures():
    """The first time, again, and another content with the same style."""
    store = FeatureStore()
    plain = run("nothing kept", content, None)
    report["first run"] = apart(run("first", content, store), plain)
    report["second run"] = apart(run("second", content, store), plain)
    other = run("another content, known style", content.flip(-1), store)
    report["another content"] = apart(other, run("another content, nothing kept", content.flip(-1), None))


def over_the_limit():
    """What fits is kept, however often it runs."""
    whole = FeatureStore()
    longer = run("10 steps", content, whole, 10)
    small = FeatureStore(limit_bytes=whole.size_bytes() // 3)
    report["over the limit"] = apart(run("10 steps over the limit", content, small, 10), longer)
    run("10 steps over the limit, again", content, small, 10)
    report["share held over the limit"] = small.size_bytes() / small.limit_bytes


def thinned():
    """Where all levels would take too much, every second is kept; samplers that ask between levels read the nearest."""
    keeping, said = pack("swf_core.transfer.keeping"), []
    exact = run("nothing kept, to compare", content, None, 16)
    whole, keeping.WHOLE_BYTES = keeping.WHOLE_BYTES, 0
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())
    logger = logging.getLogger("StyleWallfacer")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)  # as the host sets it for all when it runs
    store = FeatureStore()
    report["thinned"] = apart(run("thinned", content, store, 16), exact)
    report["plain"] = apart(sample(model, steps=16), exact)
    run("thinned, again", content, store, 16)
    report["thinned, said"], report["thinned, levels"] = said, store.size_bytes()
    between = patched(model, style, content, encoding=Encoding(), store=FeatureStore())
    sample(between, steps=16, sampler="dpm_2")
    counts["between levels"] = sum(rows_of_calls)
    limit = keeping.choose_keeping.__kwdefaults__
    most, limit["limit_bytes"] = limit["limit_bytes"], 0
    none = FeatureStore()
    report["no memory"] = apart(run("no memory", content, none), run("nothing kept, to compare again", content, None))
    report["no memory, levels"] = none.size_bytes()
    limit["limit_bytes"] = most
    keeping.WHOLE_BYTES = whole
    run("whole", content, whole_store := FeatureStore(), 16)
    report["whole, levels"] = whole_store.size_bytes()


def sampler_node():
    """A seed, another one, and that one with nothing kept."""
    STORE.clear()
    report["E, sampler node"], results = [], []
    for seed in (1, 2, 2):
        if len(results) == 2:
            STORE.clear()
        rows_of_calls.clear()
        results.append(repainted(content, style, steps=4, seed=seed)["samples"])
        report["E, sampler node"].append(sum(rows_of_calls))
    report["sampler node"] = apart(results[1], results[2])


def freed():
    """What a model found goes with it."""

    class Model:
        pass

    store, first, second = FeatureStore(), Model(), Model()
    bank = pack("swf_core.transfer.features").FeatureBank
    for signature, owner in (("first", first), ("second", second)):
        store.keep(signature, bank((), "q"), owner).trajectory = "found"
    del first, owner
    report["kept once a model is gone"] = [name for name in ("first", "second") if store.find(name)]
    evicted = weakref.ref(store.find("second"))
    store.clear()
    report["held by a model that is there, once it was dropped"] = evicted() is not None and second is not None


with torch.inference_mode():
    for case in (pictures, over_the_limit, thinned, sampler_node, freed):
        case()
write_report()
