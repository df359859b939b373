"use strict";
// What Node.js asks when it loads ES modules; where it must, in a thread of its own, and then the answers are promises.
//
// NODE_PATH names where the packages of a pack's environment are. `require` looks there by itself; `import` does so
// because of `resolve`, after the usual places, as `require` does.

const { delimiter, dirname, join } = require("path");
const { pathToFileURL } = require("url");

const NOT_FOUND = "ERR_MODULE_NOT_FOUND";
const NOT_BARE = /^(\.{0,2}\/|\.{1,2}$|#|[a-z][a-z0-9+.-]*:)/i;

/** Modules by address whose text is not in a file, and addresses by bare name that are found before any package. */
const [texts, places] = [{}, {}];
let incoming;

function initialize({ known, port }) {
  add(known);
  incoming = port;
}

function add(known) {
  Object.assign(texts, known.texts);
  Object.assign(places, known.places);
}

/** What was sent before the engine asked is here. */
function receive() {
  const { receiveMessageOnPort } = require("worker_threads");
  for (let each; (each = receiveMessageOnPort(incoming)); ) add(each.message);
}

function load(url, context, next) {
  if (incoming) receive();
  const source = texts[url];
  // The engine asks once, and keeps what it made of it.
  delete texts[url];
  return source === undefined ? next(url, context) : { format: "module", source, shortCircuit: true };
}

function resolve(specifier, context, next) {
  if (incoming) receive();
  if (places[specifier]) return next(places[specifier], context);
  if (NOT_BARE.test(specifier)) return next(specifier, context);
  // As if the import stood in a file beside a folder `node_modules`.
  const folders = (process.env.NODE_PATH || "").split(delimiter).filter(Boolean);
  const besides = folders.map((folder) => pathToFileURL(join(dirname(folder), "beside.mjs")).href);
  return first([context, ...besides.map((parentURL) => ({ ...context, parentURL }))], (place) => next(specifier, place));
}

/** What is found at the first place that has it, now or later; else the error of the very first. */
function first([place, ...rest], find, original) {
  const elsewhere = (error) => {
    if (error.code !== NOT_FOUND) throw error;
    if (rest.length === 0) throw original || error;
    return first(rest, find, original || error);
  };
  let found;
  try {
    found = find(place);
  } catch (error) {
    return elsewhere(error);
  }
  return found instanceof Promise ? found.catch(elsewhere) : found;
}

module.exports = { add, initialize, load, resolve };
