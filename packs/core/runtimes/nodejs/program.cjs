"use strict";
// The author's file, and the function that it may define.
//
// The function need not be exported. Whether it is there, the engine's own parser says: a second declaration of the name,
// added at the end, is refused if and only if there is a first one. So nothing runs before it is known what to run. To
// get at the function, a call at the end hands it out. Lines and columns of the author's text stay as they are.

const Module = require("module");
const { compileFunction } = require("vm");
const { Failure } = require("./failure.cjs");
const { emptyModule, findImports, openModule } = require("./es_module.cjs");
const { PARAMETERS, read } = require("./kind.cjs");
const { nearest } = require("./near.cjs");

const HAND_OUT = "attune.hand_out";

class Program {
  constructor(path, name) {
    Object.assign(this, read(path), { name });
    const handed = `typeof ${name} === "undefined" ? undefined : ${name}`;
    this.text = `${this.source}\n;globalThis[Symbol.for("${HAND_OUT}")](${handed});`;
    // The import has no target, so that this text is parsed and never runs.
    const probe = `${this.source}\nlet ${name};\nexport { ${name} };\nimport "attune:nothing";`;
    if (this.isModule) this.module = openModule(this.path, this.text, { "#probe": probe });
    else findImports(this.source);
    /** What it requires is below this. */
    this.root = this.isModule ? this.module.root : emptyModule(this.path);
  }

  /** Whether the file defines the function. A file that is no JavaScript is an error here already. */
  async defines() {
    return this.isModule ? this.isRefused(() => this.module.probe("#probe")) : this.definesInScript();
  }

  async definesInScript() {
    const { name, path, source } = this;
    compile(source, path);
    const exported = new RegExp(`\\bexports\\s*(\\.\\s*|=[^]*\\b)${name}\\b`);
    return exported.test(source) || this.isRefused(() => compile(`${source}\nlet ${name};`, path));
  }

  async isRefused(attempt) {
    try {
      await attempt();
    } catch (error) {
      return error instanceof SyntaxError;
    }
    return false;
  }

  /** Runs the file and gives its function. */
  async load() {
    let local;
    globalThis[Symbol.for(HAND_OUT)] = (value) => (local = value);
    const exported = this.isModule ? await this.module.load() : this.loadScript();
    delete globalThis[Symbol.for(HAND_OUT)];
    const found = local === undefined ? named(exported, this.name) : local;
    if (typeof found !== "function") throw new Failure(`${this.name} in this file is no function`);
    return found;
  }

  loadScript() {
    const { path, root, text } = this;
    Module._cache[path] = root;
    try {
      root._compile(text, path);
    } catch (error) {
      // What is not loaded is no module, as with `require`.
      delete Module._cache[path];
      throw error;
    }
    root.loaded = true;
    return root.exports;
  }

  /** Says that the file has no such function, and which one the author may have meant by it. */
  lacks(also = "") {
    const near = nearest(this.name, this.source);
    const hint = near ? `; did you mean ${this.name} by ${near}?` : "";
    return `the file defines no function ${this.name}${also}${hint}`;
  }

  /** Gives what puts the file's own things in scope, also when another one ran since; it does not keep the text. */
  entry() {
    if (!this.isModule) return () => {};
    const { require } = this.module;
    return () => (globalThis.require = require);
  }
}

function compile(source, filename) {
  compileFunction(source, PARAMETERS, { filename });
}

/** Of what a file exports: the function of that name, be it all of it, the default or one of many. */
function named(exported, name) {
  const candidates = [exported, exported && exported.default];
  const whole = candidates.find((each) => typeof each === "function" && each.name === name);
  return whole || candidates.map((each) => each && each[name]).find((each) => each !== undefined);
}

module.exports = { Program };
