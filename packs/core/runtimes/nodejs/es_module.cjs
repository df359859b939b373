"use strict";
// ES modules: the author's file opened with a text of ours, and its imports found in the environment of its pack.

const Module = require("module");
const { pathToFileURL } = require("url");
const { Failure } = require("./failure.cjs");
const hooks = require("./hooks.cjs");

/** Opens a module that stands at `path`; it has this text, and under other queries others. */
function openModule(path, text, others = {}) {
  const { href } = pathToFileURL(path);
  const byQuery = Object.entries(others).map(([query, other]) => [href + query, other]);
  hook({ [href]: text, ...Object.fromEntries(byQuery) });
  // A convenience that authors ask for; CommonJS files have a `require` of their own and never see this one.
  globalThis.require = Module.createRequire(path);
  return {
    load: () => import(href).catch((error) => require("./located.cjs").throwLocated(error, path, text)),
    probe: (query) => import(href + query),
  };
}

/** Lets `import()` in a CommonJS file find what its `require` finds. */
function findImports(source) {
  if (Module.registerHooks || (Module.register && /\bimport\s*\(/.test(source))) hook({});
}

/** In this thread where Node.js can; a thread for it costs half a start. */
function hook(texts) {
  if (Module.registerHooks) {
    hooks.initialize(texts);
    Module.registerHooks({ load: hooks.load, resolve: hooks.resolve });
  } else if (Module.register) {
    Module.register("./hooks.cjs", { parentURL: pathToFileURL(__filename), data: texts });
  } else {
    const { version } = process;
    throw new Failure(`ES modules need Node.js 18.19 or 20.6, and this is ${version}; use require instead of import`);
  }
}

module.exports = { findImports, openModule };
