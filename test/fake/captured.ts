import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FakeMachine } from './machine.ts';

/** What a node of the lab showed, and when. */
export type Captured = { readonly machine: FakeMachine; readonly time: number };

const folder = join(import.meta.dirname, '../fixtures/operate');

/**
 * A node as it was captured (test/fixtures/operate/capture.sh): `### run COMMAND`, `### file PATH`, `### list DIRECTORY`, what it said, and
 * `### end CODE STDERR`. A command that was not captured does not exist, nor does a file.
 */
export const captured = (name: string): Captured => read(readFileSync(join(folder, `${name}.txt`), 'utf8'));

function read(text: string): Captured {
  const machine = new FakeMachine();
  const answers = new Map<string, { code: number; stdout: string; stderr: string }>();
  const parts = text.matchAll(/^### (run|file|list) (.*)\n([\s\S]*?)\n?^### end (\d+)(?: (.*))?$/gm);
  for (const [, kind, what = '', content = '', code, stderr = ''] of parts) {
    if (kind === 'file') machine.files.set(what, content);
    else if (kind === 'list')
      for (const entry of content.split('\n').filter(Boolean)) machine.files.set(`${what}/${entry}`, '');
    else answers.set(what, { code: Number(code), stdout: content, stderr });
  }
  const programs = new Set([...answers.keys()].map((command) => command.split(' ', 1)[0] ?? ''));
  for (const program of programs)
    machine.on(program, (args) => answers.get([program, ...args].join(' ')) ?? { code: 127, missing: true });
  for (const program of [
    'cibadmin',
    'crm_mon',
    'drbdsetup',
    'drbdadm',
    'dmesg',
    'grep',
    'find',
    'crm_simulate',
    'nft',
    'ssh',
    'lvs',
    'pacemakerd',
  ])
    if (!programs.has(program)) machine.on(program, () => ({ code: 127, missing: true }));
  const addresses = answers.get('ip -o addr show up')?.stdout ?? '';
  machine.running = [...addresses.matchAll(/^\d+: (\S+) +inet6? ([^/\s]+)\/(\d+)/gm)].map(
    ([, device = '', address = '', prefix]) => ({ name: device, address, prefix: Number(prefix) }),
  );
  const seconds = /^### time (\d+)$/m.exec(text)?.[1];
  return { machine, time: Number(seconds) * 1000 };
}
