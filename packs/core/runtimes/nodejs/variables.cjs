"use strict";
// The variables and the directory that belong to one request of a host.

const home = process.cwd();

/** Sets them; gives what takes them back. */
function inPlace({ env = {} }) {
  const before = Object.keys(env).map((name) => [name, process.env[name]]);
  Object.assign(process.env, env);
  return () => {
    before.forEach(([name, value]) => set(name, value));
    if (process.cwd() !== home) process.chdir(home);
  };
}

function set(name, value) {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}

module.exports = { home, inPlace };
