"use strict";
// The modules that a file required, and those that these did: its helpers, as far as they are no package's.

const { sep } = require("path");

/** All that these modules required, they among it. */
function closure(roots) {
  const found = new Set(roots);
  for (const each of found) each.children.forEach((child) => found.add(child));
  return found;
}

/** Lets go of a module, and of what it required and none of those that stay did. */
function release(evicted, stay) {
  const kept = closure(stay);
  const gone = [...closure([evicted])].filter((each) => isHelper(each) && !kept.has(each));
  gone.forEach(forget);
  // Who required it first is known to a module for ever.
  for (const each of kept) if (gone.includes(each.parent)) each.parent = undefined;
}

/** Has a module and its helpers loaded anew. */
function renew(root) {
  [...closure([root])].filter(isHelper).forEach(forget);
}

function forget(module) {
  if (require.cache[module.filename] === module) delete require.cache[module.filename];
}

/** Packages stay, as do those of the engine; one in machine code could not even be loaded again. */
function isHelper({ filename }) {
  return !filename.includes(`${sep}node_modules${sep}`) && !filename.endsWith(".node");
}

module.exports = { release, renew };
