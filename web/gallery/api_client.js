// The client of the gallery's routes (nodes/host/gallery/routes.py).

const ROOT = "/swf/gallery";

/** The requests of the gallery through the host's `api`: { fetchApi }. One that fails is an Error with a
 * sentence and the HTTP `status`. */
export function galleryClient(api) {
  const get = async (path) => bodyOf(await api.fetchApi(ROOT + path, { cache: "no-store" }));
  const post = async (path, body, options = {}) => bodyOf(await api.fetchApi(ROOT + path, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), ...options,
  }));
  return {
    /** { server, runs, waits } */
    overview: () => get(""),
    run: (token) => get(`/${token}`),
    /** `lists`: ids under accept, reject or forget. Answers with the picks on file, as setCaption and answer do. */
    setVerdicts: (token, lists) => post(`/${token}/judge`, lists),
    setCaption: (token, id, caption) => post(`/${token}/caption`, { id, caption }),
    /** The samples up to a step are gone through; `ended_waits` of the answer tells how many nodes go on. */
    answer: (token, step) => post(`/${token}/go`, { step }),
    confirmWait: (wait) => post(`/waits/${wait}`, { open: true }),
    /** Sent while the page closes: `keepalive` lets it outlive the page. */
    sendClosed: (wait) => post(`/waits/${wait}`, { open: false }, { keepalive: true }).catch(() => {}),
    /** Say whose this page is, on a host with users; events and runs follow that. */
    registerPage: (id) => post("/client", { client: id }),
    /** A sample or a style picture as a Blob, at most `px` pixels wide and high; 0: as it is. */
    async picture(token, id, px, signal) {
      const path = `${ROOT}/${token}/picture/${id}${px ? `?px=${px}` : ""}`;
      const response = await api.fetchApi(path, { cache: "default", signal }); // what an id names never changes
      return response.ok ? response.blob() : bodyOf(response);
    },
  };
}

async function bodyOf(response) {
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw Object.assign(new Error(body.error ?? `${response.status}`), { status: response.status });
  return body;
}
