"use strict";
// A sensor that is a plain program: it prints one JSON object with `events`.
//
// It runs in a process of its own, because Node.js can not read what its own process prints.

const { spawn } = require("child_process");
const { join } = require("path");
const { inspect, TextDecoder } = require("util");
const { Ended, Failure } = require("./failure.cjs");

/** The largest output, as the service has it. */
const MAX_OUTPUT = 10 * 1024 * 1024;
/** What children may still print after the end of the program, in milliseconds. */
const DRAIN = 500;

/** What the program prints, or undefined when that is nothing. */
async function documentOf(path) {
  const printed = await run(path);
  return printed.toString().trim() ? parse(printed) : undefined;
}

function run(path) {
  const args = [...process.execArgv, join(__dirname, "run.cjs"), "--script", path];
  const child = spawn(process.execPath, args, { stdio: ["inherit", "pipe", "inherit"] });
  return new Promise((resolve, reject) => {
    const chunks = [];
    let size = 0;
    child.stdout.on("data", (chunk) => {
      size += chunk.length;
      chunks.push(chunk);
      if (size <= MAX_OUTPUT) return;
      child.kill("SIGKILL");
      reject(new Failure(`the sensor printed more than ${MAX_OUTPUT} bytes`));
    });
    child.on("error", reject);
    const end = (code, signal) => {
      if (signal) reject(new Failure(`the sensor was ended by ${signal}`));
      else if (code) reject(new Ended(code));
      else resolve(Buffer.concat(chunks));
    };
    child.on("close", end);
    child.on("exit", (code, signal) => setTimeout(end, DRAIN, code, signal));
  });
}

function parse(printed) {
  const begins = `it begins with ${inspect(printed.toString().slice(0, 200), { breakLength: Infinity })}`;
  let document;
  try {
    document = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(printed));
  } catch (error) {
    throw new Failure(`stdout is no${error instanceof SyntaxError ? " JSON" : "t UTF-8"}; ${begins}`);
  }
  if (!document || !Array.isArray(document.events)) throw new Failure(`stdout has no array \`events\`; ${begins}`);
  return document;
}

module.exports = { documentOf };
