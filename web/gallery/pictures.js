// A run's pictures, fetched with the host's headers: `<img src>` could not say which user asks. They are held as object
// URLs, which `clear` lets go.

export const THUMBNAIL_PX = 256;
const NEAR = "160px"; // beyond the visible part of what scrolls
const LARGE_ONES = 8; // whole pictures are several hundred kB each: more than are shown at once are not held

export class Pictures {
  /** `fetchPicture(token, id, px, signal)` gives a Blob; `px` 0: as large as it is. */
  constructor(fetchPicture) {
    this.fetchPicture = fetchPicture;
    this.urls = new Map(); // promises of object URLs, by what they show
    this.ready = new Map(); // those that have come
    this.wanted = new WeakMap(); // what images will show when they come near the visible part
    this.controller = new AbortController();
    this.observer = null;
  }

  /** Let the images inside `scroller` wait until they come near its visible part. */
  waitInside(scroller) {
    this.observer = new IntersectionObserver((entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        this.observer.unobserve(target);
        this.load(target, ...this.wanted.get(target));
      }
    }, { root: scroller, rootMargin: NEAR });
  }

  /** Show a picture in an image; `lazily` where `waitInside` was called. */
  show(image, token, id, px, lazily = false) {
    const ready = this.ready.get(`${token} ${id} ${px}`);
    if (ready) image.src = ready; // at once: what is drawn again does not flicker
    if (ready || !lazily || !this.observer) return ready ?? this.load(image, token, id, px);
    this.wanted.set(image, [token, id, px]);
    return this.observer.observe(image);
  }

  async load(image, token, id, px) {
    const { signal } = this.controller;
    if (!px) this.showSmall(image, token, id);
    try {
      image.src = await this.url(token, id, px);
    } catch (error) {
      if (signal.aborted) return;
      image.alt = error.message;
      image.dataset.missing = "";
    }
  }

  /** What is known of a picture, until the whole of it has arrived. */
  showSmall(image, token, id) {
    const small = this.ready.get(`${token} ${id} ${THUMBNAIL_PX}`);
    if (small) image.src = small;
  }

  url(token, id, px) {
    const key = `${token} ${id} ${px}`;
    const known = this.urls.get(key);
    if (known) return known;
    const { signal } = this.controller;
    const url = this.fetchPicture(token, id, px, signal).then((blob) => {
      signal.throwIfAborted();
      const made = URL.createObjectURL(blob);
      if (this.urls.get(key) === url) this.ready.set(key, made);
      return made;
    });
    this.urls.set(key, url);
    url.catch(() => this.urls.get(key) === url && this.urls.delete(key)); // the next drawing asks again
    if (!px) this.keepFewLarge();
    return url;
  }

  keepFewLarge() {
    const large = [...this.urls.keys()].filter((key) => key.endsWith(" 0"));
    for (const key of large.slice(0, -LARGE_ONES)) {
      revoke(this.urls.get(key));
      this.urls.delete(key);
      this.ready.delete(key);
    }
  }

  /** Another run is shown, or none: what is on its way is not waited for. */
  clear() {
    this.controller.abort();
    this.controller = new AbortController();
    this.urls.forEach(revoke);
    this.urls.clear();
    this.ready.clear();
    this.observer?.disconnect();
  }
}

function revoke(url) {
  url.then(URL.revokeObjectURL, () => {});
}
