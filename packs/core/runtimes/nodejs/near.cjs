"use strict";
// Names that an author may have meant.

const DEFINED = /\b(?:function\s*\*?|const|let|var|class)\s+([\w$]+)|\bexports\.([\w$]+)/g;
const FAR = 3;

/** The name in `source` that is nearly `wanted`, letters in capitals and underscores aside. */
function nearest(wanted, source) {
  const names = Array.from(source.matchAll(DEFINED), ([, local, exported]) => local || exported);
  const ranked = names.map((name) => [distance(plain(wanted), plain(name)), name]);
  const [best] = ranked.sort(([a], [b]) => a - b);
  return best && best[0] < FAR ? best[1] : undefined;
}

const plain = (name) => name.toLowerCase().replace(/[_$]/g, "").slice(0, 64);

/** How many letters have to be added, removed or changed. */
function distance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const above = row;
    row = [i];
    for (let j = 1; j <= b.length; j++) {
      row[j] = Math.min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
  }
  return row[b.length];
}

module.exports = { nearest };
