"use strict";
// ES modules: the author's file opened with a text of ours, and its imports found in the environment of its pack.

const Module = require("module");
const { dirname } = require("path");
const { pathToFileURL } = require("url");
const { Failure } = require("./failure.cjs");
const hooks = require("./hooks.cjs");

const opened = new Map();
/** Modules by the bare name under which every file finds them. */
const places = {};
let give;

/** Opens a module that stands at `path`; it has this text, and under other queries others. */
function openModule(path, text, others = {}) {
  const href = addressOf(path);
  const byHash = Object.entries(others).map(([hash, other]) => [href + hash, other]);
  hook({ [href]: text, ...Object.fromEntries(byHash) });
  // A convenience that authors ask for; CommonJS files have a `require` of their own and never see this one.
  const root = emptyModule(path);
  globalThis.require = Object.assign((id) => root.require(id), Module.createRequire(path));
  return {
    root,
    require: globalThis.require,
    load: () => import(href).catch((error) => require("./located.cjs").throwLocated(error, path, text)),
    probe: (hash) => import(href + hash),
  };
}

/** A module at `path` that knows where packages are, and will know what it required. */
function emptyModule(path) {
  const module = new Module(path, null);
  module.filename = path;
  module.paths = Module._nodeModulePaths(dirname(path));
  return module;
}

/** The engine never forgets a module, so a file that is opened again has another address. */
function addressOf(path) {
  const times = opened.get(path) || 0;
  opened.set(path, times + 1);
  return pathToFileURL(path).href + (times ? `?${times}` : "");
}

/** Lets `import()` in a CommonJS file find what its `require` finds. */
function findImports(source) {
  if (Module.registerHooks || (Module.register && /\bimport\s*\(/.test(source))) hook({});
}

function hook(texts) {
  if (give) give({ texts, places });
  else give = register({ texts, places });
}

/** From here on this file is the module `name`, for `require` and `import`. */
function provide(name, path) {
  places[name] = pathToFileURL(path).href;
  const resolve = Module._resolveFilename;
  Module._resolveFilename = function (request, ...rest) {
    return request === name ? path : resolve.call(this, request, ...rest);
  };
}

/** In this thread where Node.js can; a thread for it costs half a start. Gives what makes more known there. */
function register(known) {
  if (Module.registerHooks) {
    hooks.initialize({ known });
    Module.registerHooks({ load: hooks.load, resolve: hooks.resolve });
    return hooks.add;
  }
  if (!Module.register) {
    const { version } = process;
    throw new Failure(`ES modules need Node.js 18.19 or 20.6, and this is ${version}; use require instead of import`);
  }
  const { port1, port2: port } = new MessageChannel();
  const options = { parentURL: pathToFileURL(__filename), data: { known, port }, transferList: [port] };
  Module.register("./hooks.cjs", options);
  port1.unref();
  return (more) => port1.postMessage(more);
}

module.exports = { emptyModule, findImports, openModule, provide };
