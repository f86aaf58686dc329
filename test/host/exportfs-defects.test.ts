import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openSandbox, type Sandbox } from './exportfs-sandbox.ts';

// Known defects of the stock agent: the same state and the same actions for both, what each leaves in etab. The installed release
// is 4.12; E1, E3, E4 and E11 came later (fsid became optional, the mark of a start, the loop that empties the cache, numbers on stdout),
// so they are in test/unit/exportfs-cases.test.ts only.

type Call = (action: string, more?: Params) => Promise<string>;
type Params = { readonly [name: string]: string | number };
type Defect = {
  readonly id: string;
  readonly what: string;
  readonly params: (box: Sandbox) => Params;
  /** What is said and left; a call answers `action code: etab`. */
  readonly story: (box: Sandbox, call: Call, params: Params) => Promise<readonly string[]>;
  readonly stock: readonly string[];
  readonly ours: readonly string[];
};

const plain = { clientspec: '*', options: 'rw', fsid: 105, rmtab_backup: 'none' };
const one = (box: Sandbox) => ({ ...plain, directory: box.directory('a') });
const two = (box: Sandbox) => ({ ...plain, directory: `${box.directory('a')} ${box.directory('b')}` });
const rec = { meta_interval: 10_000 } as const;
const rmtab = (path: string) => `10.0.0.7:${path}:0x00000001\n`;

const defects: readonly Defect[] = [
  {
    id: 'E2',
    what: 'one of two directories was unexported by hand',
    params: two,
    async story(box, call) {
      await call('start');
      await box.run('exportfs', '-u', `*:${box.folder}/b`);
      return [await call('monitor', rec), await call('stop')];
    },
    stock: ['monitor 7: a *', 'stop 0: a *'],
    ours: ['monitor 1: a *', 'stop 0: '],
  },
  {
    id: 'E5',
    what: 'only the second directory has NFSv3 clients',
    params: (box) => ({ ...two(box), rmtab_backup: '.rmtab' }),
    async story(box, call) {
      await call('start');
      await box.write('/var/lib/nfs/rmtab', rmtab(`${box.folder}/b`));
      await call('monitor', rec);
      return [await box.read(`${box.folder}/b/.rmtab`).catch(() => 'no backup')];
    },
    stock: ['no backup'],
    ours: [rmtab('FOLDER/b').trimEnd()],
  },
  {
    id: 'E6',
    what: 'the second directory cannot be exported',
    params: two,
    async story(box, call) {
      const script = join(box.folder, 'exportfs');
      const real = await box.run('sh', '-c', 'cp /usr/sbin/exportfs "$0" && echo "$0"', `${script}.real`);
      const refuse = `case "$*" in *-u*) ;; */b) echo no >&2; exit 1;; esac; exec ${real} "$@"`;
      writeFileSync(script, `#!/bin/sh\n${refuse}\n`, { mode: 0o755 });
      await box.run('mount', '--bind', script, '/usr/sbin/exportfs');
      return [await call('start')];
    },
    stock: ['start 1: a *'],
    ours: ['start 1: '],
  },
  {
    id: 'E7',
    what: 'clientspec is an alias',
    params: (box) => ({ ...one(box), clientspec: 'short' }),
    story: async (_box, call) => [await call('start'), await call('monitor', rec), await call('stop')],
    stock: ['start 0: a full.example.com', 'monitor 7: a full.example.com', 'stop 0: a full.example.com'],
    ours: ['start 0: a full.example.com', 'monitor 0: a full.example.com', 'stop 0: '],
  },
  {
    id: 'E8',
    what: 'DNS no longer knows the client',
    params: (box) => ({ ...one(box), clientspec: 'full.example.com' }),
    async story(box, call) {
      await call('start');
      await box.write('/etc/hosts', '');
      return [await call('monitor', rec), await call('stop')];
    },
    stock: ['monitor 7: a full.example.com', 'stop 0: a full.example.com'],
    ours: ['monitor 0: a full.example.com', 'stop 0: '],
  },
  {
    id: 'E9',
    what: 'options changed',
    params: one,
    async story(box, call) {
      await call('start');
      await call('start', { options: 'ro' });
      return [(await box.read('/var/lib/nfs/etab')).includes('*(ro,') ? 'ro' : 'rw'];
    },
    stock: ['rw'],
    ours: ['ro'],
  },
  {
    id: 'E10',
    what: 'status',
    params: one,
    story: async (_box, call) => [await call('status'), await call('start'), await call('status')],
    stock: ['status 3: ', 'start 0: a *', 'status 3: a *'],
    ours: ['status 7: ', 'start 0: a *', 'status 0: a *'],
  },
  {
    id: 'E12',
    what: 'stop without clientspec',
    params: (box) => ({ ...one(box), clientspec: '' }),
    story: async (_box, call) => [await call('stop')],
    stock: ['stop 6: '],
    ours: ['stop 0: '],
  },
  {
    id: 'E13',
    what: 'a blank in options',
    params: (box) => ({ ...one(box), options: 'rw, sync' }),
    story: async (_box, call) => [await call('start')],
    stock: ['start 1: a *'],
    ours: ['start 6: '],
  },
  {
    id: 'E14',
    what: 'the NFS server has no threads',
    params: one,
    async story(box, call) {
      await call('start');
      await box.write('/proc/fs/nfsd/threads', '0\n');
      return [await call('monitor', rec)];
    },
    stock: ['monitor 0: a *'],
    ours: ['monitor 1: a *'],
  },
  {
    id: 'E15',
    what: 'the wait for leases without a client',
    params: (box) => ({ ...one(box), wait_for_leasetime_on_stop: 1 }),
    async story(box, call) {
      await box.write('/proc/fs/nfsd/nfsv4leasetime', '2\n');
      await box.run('mkdir', '/proc/fs/nfsd/clients');
      await call('start');
      const since = performance.now();
      return [await call('stop'), performance.now() - since > 4000 ? 'slept' : 'at once'];
    },
    stock: ['stop 0: ', 'slept'],
    ours: ['stop 0: ', 'at once'],
  },
];

const told = defects.flatMap((defect) =>
  (['stock', 'ours'] as const).map(
    (agent) => [`${defect.id}, ${agent}: ${defect.what}`, { ...defect, agent }] as const,
  ),
);

test.each(told)('%s', async (_what, { agent, params, story, ...expected }) => {
  const box = await openSandbox();
  try {
    await box.write('/etc/exports', '');
    const given = params(box);
    const call: Call = async (action, more = {}) => {
      const { code } = await box[agent](action, { ...given, ...more });
      const left = (await box.exported()).map((line) => line.replace(`${box.folder}/`, ''));
      return `${action} ${code}: ${left.join(', ')}`;
    };
    const seen = await story(box, call, given);
    expect(seen.map((line) => line.replaceAll(box.folder, 'FOLDER'))).toEqual(expected[agent]);
  } finally {
    await box.close();
  }
});
