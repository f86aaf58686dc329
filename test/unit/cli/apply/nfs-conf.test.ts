import { expect, test } from 'vitest';
import { nfsConfTrouble } from '../../../../cli/apply/nfs-conf.ts';
import type { Call } from '../../../../cli/command.ts';
import type { Pair } from '../../../../cli/configuration/pair.ts';
import { nfsConfFile } from '../../../../cli/plan/files.ts';
import { FakeMachine } from '../../../fake/machine.ts';

type Situation = {
  readonly threads?: number;
  readonly file?: string;
  readonly node?: string;
  readonly env?: { readonly [name: string]: string };
};

async function told({ threads, file, node = 'node1', env = {} }: Situation): Promise<string> {
  const machine = new FakeMachine(env);
  machine.files.set('/proc/sys/kernel/hostname', `${node}\n`);
  if (file !== undefined) machine.files.set(nfsConfFile, file);
  const pair = {
    nodes: [{ name: 'node1' }, { name: 'node2' }],
    nfs: { threads: threads ?? null, with3: true, ports: {} },
    provider: 'tsha',
  };
  const call = {
    host: { sys: machine },
    sys: machine,
    terminal: { language: 'en', marks: (text: string) => text },
  };
  return (await nfsConfTrouble(call as unknown as Call, pair as unknown as Pair)).join('\n');
}

const asked = '[nfsd]\nthreads=64\n';

test.each<[string, Situation]>([
  ['nothing is asked for, and nothing is there', {}],
  ['what is asked for is there', { threads: 64, file: asked }],
  ['the cluster is a file', { threads: 64, env: { CIB_file: 'cib.xml' } }],
  ['this is no node of the pair', { threads: 64, node: 'desk' }],
])('%s: nothing to tell', async (_what, situation) => {
  expect(await told(situation)).toBe('');
});

test.each<[string, Situation, string]>([
  ['it is not there', { threads: 64 }, `printf '%s\\n' '[nfsd]' threads=64 > ${nfsConfFile}`],
  ['it has another number', { threads: 64, file: '[nfsd]\nthreads=8\n' }, 'threads=64'],
  ['it is not asked for any more', { file: asked }, `rm ${nfsConfFile}`],
  ['the other node', { threads: 64, node: 'node2' }, 'on node2 is not what the file asks for'],
])('%s: told, with the command', async (_what, situation, words) => {
  expect(await told(situation)).toContain(words);
});
