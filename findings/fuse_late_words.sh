#!/bin/sh
# One would guess: Fuse.js's `threshold` says how inexact a match may be, so a word that stands in a text letter for letter
#   is always found.
# It is so that: an exact word that begins after the text's first threshold * distance letters is not found at all (the
#   defaults: 0.6 * 100; at ComfyUI's threshold of 0.3 the first 30), with extended search too. ComfyUI's node search
#   (front ends 1.27.10 and 1.58.1) is Fuse with threshold 0.3 over ids and display names, so plain words in a long
#   display name must come first; `ignoreLocation` would find them anywhere.
# fuse.js 7.1.0; its computeScore: accuracy + |expected location - location| / distance.
set -e
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund fuse.js@7.1.0 >/dev/null
cat > run.mjs <<'END'
import Fuse from "fuse.js"
import { readFileSync } from "node:fs"
console.log("fuse.js", JSON.parse(readFileSync("node_modules/fuse.js/package.json", "utf8")).version)
const name = "Load Checkpoint with Noise Select and Context Options"
const found = (word, more) => new Fuse([{ name }], { keys: ["name"], threshold: 0.3, ...more }).search(word).length === 1
const words = [["Noise", 21], ["Select", 27], ["and", 34], ["Context", 38], ["Options", 46]]
const seen = []
for (const [word, at] of words) {
  if (name.indexOf(word) !== at) throw new Error(`${word} is not at ${at}`)
  const row = [found(word), found(word, { useExtendedSearch: true }), found(word, { ignoreLocation: true })]
  seen.push(row)
  console.log(`"${word}", exact, begins at letter ${at}: plain ${row[0]}, extended ${row[1]}, ignoreLocation ${row[2]}`)
}
const wanted = words.map(([, at]) => [at <= 30, at <= 30, true])
if (JSON.stringify(seen) !== JSON.stringify(wanted)) { console.error("Fuse.js has changed"); process.exit(1) }
END
node run.mjs
