"use strict";
// Whether a file is an ES module or a CommonJS one, by the rules of Node.js: its extension, else the nearest
// package.json, else its syntax.

const { readFileSync, realpathSync } = require("fs");
const { basename, dirname, extname, join, resolve } = require("path");
const { compileFunction } = require("vm");

/** What a CommonJS file finds in scope. */
const PARAMETERS = ["exports", "require", "module", "__filename", "__dirname"];

const ONLY_IN_MODULES =
  /^(Cannot use (import statement|'import\.meta') outside a module|Unexpected token 'export'|Identifier '(__filename|__dirname|require|module|exports)' has already been declared)/;
const AWAIT = /^await is only valid|^Unexpected reserved word/;

/** The author's file; links are followed, as Node.js follows them. */
function read(given) {
  const path = realpathSync(resolve(given));
  const source = readFileSync(path, "utf8").replace(/^\uFEFF/, "");
  return { path, source, isModule: isModule(path, source) };
}

function isModule(path, source) {
  const extension = extname(path);
  if (extension === ".mjs" || extension === ".cjs") return extension === ".mjs";
  const type = typeOfPackage(dirname(path));
  return type ? type === "module" : needsModule(source);
}

/** The `type` of the nearest package.json; one without it leaves the question open. */
function typeOfPackage(directory) {
  try {
    return JSON.parse(readFileSync(join(directory, "package.json"), "utf8")).type;
  } catch (error) {
    if (error.code !== "ENOENT" && error.code !== "ENOTDIR") return undefined;
  }
  const above = dirname(directory);
  return above === directory || basename(directory) === "node_modules" ? undefined : typeOfPackage(above);
}

function needsModule(source) {
  const message = complaint(source);
  // `await` at the top level; in a function that is not async it is wrong in either kind.
  return ONLY_IN_MODULES.test(message) || (AWAIT.test(message) && !complaint(`(async () => {${source}\n})`));
}

/** What the parser says of it as CommonJS; nothing when it is content. */
function complaint(source) {
  try {
    compileFunction(source, PARAMETERS);
  } catch (error) {
    return error.message;
  }
  return "";
}

module.exports = { PARAMETERS, read };
