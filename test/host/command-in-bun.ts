import { readFileSync } from 'node:fs';
import { nodeSys } from '../../lib/host/node-sys.ts';

/** Runs the command that standard input describes (`{ env, command }`), and prints its output: by the runtime of the native flavour. */
const { env, command } = JSON.parse(readFileSync(0, 'utf8'));
console.log(JSON.stringify(await nodeSys(env).run(command)));
