'use strict';
// Runs an agent of the script flavour with what V8 made of it when it was installed: reading it over and compiling it costs a monitor
// a sixth of its time. What another version of Node has made, or what was made of another state of the file, is not used.
//
//   node cached.cjs AGENT ACTION        what the agents' launcher does
//   node cached.cjs --make AGENT        what the installation does

const { readFileSync, renameSync, rmSync, statSync, writeFileSync } = require('node:fs');
const { basename, resolve } = require('node:path');
const { Script } = require('node:vm');

const headLength = 64;

/** V8 itself compares its own version and flags, and the length of the source: two edits may have the same. */
function headFor(agent) {
  const { size, mtimeMs } = statSync(agent);
  return `${size} ${mtimeMs}`.padEnd(headLength);
}

const cacheFile = (agent) => `${__dirname}/${basename(agent)}.v8`;

/** What the shell began as an agent of this flavour may have become one of the other while Node started: a package took its place. */
const isScript = (source) => source.startsWith("#!/bin/sh\n':' /*");

/** As Node wraps every CommonJS module; the first line is for /bin/sh. */
function compile(agent, source, cachedData) {
  const wrapped = `(function (exports, require, module, __filename) {${source.slice(source.indexOf('\n'))}\n})`;
  return new Script(wrapped, { filename: agent, cachedData });
}

function cached(agent) {
  try {
    const bytes = readFileSync(cacheFile(agent));
    if (bytes.latin1Slice(0, headLength) === headFor(agent)) return bytes.subarray(headLength);
  } catch {
    // there is none: it takes a little longer
  }
  return undefined;
}

function make(agent) {
  const v8 = require('node:v8');
  v8.setFlagsFromString('--no-lazy'); // every function, not only those that a first run would call
  const script = compile(agent, readFileSync(agent, 'utf8'));
  v8.setFlagsFromString('--lazy'); // V8 compares the flags, too
  process.umask(0o022);
  const draft = `${cacheFile(agent)}.new`;
  try {
    writeFileSync(draft, Buffer.concat([Buffer.from(headFor(agent)), script.createCachedData()]), {
      mode: 0o644,
      flush: true,
    });
    renameSync(draft, cacheFile(agent));
  } catch (error) {
    rmSync(draft, { force: true }); // of a full disk
    throw error;
  }
}

process.execArgv.push(...process.argv.splice(1, 1)); // what an agent that starts itself again has to say first
if (process.argv[1] === '--make') make(process.argv[2]);
else {
  process.argv[1] = resolve(process.argv[1]);
  const [, agent, ...args] = process.argv;
  const source = readFileSync(agent, 'utf8');
  if (isScript(source))
    compile(agent, source, cached(agent)).runInThisContext()(exports, require, module, agent);
  else
    process.exitCode = require('node:child_process').spawnSync(agent, args, { stdio: 'inherit' }).status ?? 1;
}
