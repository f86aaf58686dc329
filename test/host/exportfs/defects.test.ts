import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type Defect, testDefects } from '../defects.ts';
import { openSandbox, type Sandbox } from './sandbox.ts';

// Known defects of the stock agent (E) and what its users complained about (X): the same state and the same actions for each agent, and
// what it says and leaves in etab. The rest is in test/unit/exportfs-*: what was mended up to 4.12 (X4, X8 to X16, X18 to X20, X22), and
// E4 and X6, for which the kernel would have to serve somebody.

type Params = { readonly [name: string]: string | number };
type Stage = {
  readonly box: Sandbox;
  /** Answers `action code: etab`. */
  readonly call: (action: string, more?: Params) => Promise<string>;
  readonly isStock: boolean;
  /** What the last call said: stdout and stderr. */
  readonly said: () => { readonly stdout: string; readonly stderr: string };
};
type Told = Defect & {
  readonly params: (box: Sandbox) => Params;
  readonly story: (stage: Stage) => Promise<readonly string[]>;
};

const plain = { clientspec: '*', options: 'rw', fsid: 105, rmtab_backup: 'none' };
const one = (box: Sandbox) => ({ ...plain, directory: box.directory('a') });
const two = (box: Sandbox) => ({ ...plain, directory: `${box.directory('a')} ${box.directory('b')}` });
const rec = { meta_interval: 10_000 } as const;
const rmtab = (path: string) => `10.0.0.7:${path}:0x00000001\n`;

const defects: readonly Told[] = [
  {
    id: 'exportfs#46,47, E2',
    what: 'one of two directories was unexported by hand',
    params: two,
    async story({ box, call }) {
      await call('start');
      await box.run('exportfs', '-u', `*:${box.folder}/b`);
      return [await call('monitor', rec), await call('stop')];
    },
    installed: ['monitor 7: a *', 'stop 0: a *'],
    ours: ['monitor 1: a *', 'stop 0: '],
  },
  {
    id: 'exportfs#60, E5',
    what: 'only the second directory has NFSv3 clients',
    params: (box) => ({ ...two(box), rmtab_backup: '.rmtab' }),
    async story({ box, call }) {
      await call('start');
      await box.write('/var/lib/nfs/rmtab', rmtab(`${box.folder}/b`));
      await call('monitor', rec);
      return [await box.read(`${box.folder}/b/.rmtab`).catch(() => 'no backup')];
    },
    installed: ['no backup'],
    ours: [rmtab('FOLDER/b').trimEnd()],
  },
  {
    id: 'exportfs#71, E6',
    what: 'the second directory cannot be exported',
    params: two,
    async story({ box, call }) {
      const script = join(box.folder, 'exportfs');
      const real = await box.run('sh', '-c', 'cp /usr/sbin/exportfs "$0" && echo "$0"', `${script}.real`);
      const refuse = `case " $* " in *" -u "*) ;; */b\\ ) echo no >&2; exit 1;; esac; exec ${real} "$@"`;
      writeFileSync(script, `#!/bin/sh\n${refuse}\n`, { mode: 0o755 });
      await box.run('mount', '--bind', script, '/usr/sbin/exportfs');
      return [await call('start')];
    },
    installed: ['start 1: a *'],
    ours: ['start 1: '],
  },
  {
    id: 'exportfs#38, E7',
    what: 'clientspec is an alias',
    params: (box) => ({ ...one(box), clientspec: 'short' }),
    story: async ({ call }) => [await call('start'), await call('monitor', rec), await call('stop')],
    installed: ['start 0: a full.example.com', 'monitor 7: a full.example.com', 'stop 0: a full.example.com'],
    ours: ['start 0: a full.example.com', 'monitor 0: a full.example.com', 'stop 0: '],
  },
  {
    id: 'exportfs#40, E8',
    what: 'DNS no longer knows the client',
    params: (box) => ({ ...one(box), clientspec: 'full.example.com' }),
    async story({ box, call }) {
      await call('start');
      await box.write('/etc/hosts', '');
      return [await call('monitor', rec), await call('stop')];
    },
    installed: ['monitor 7: a full.example.com', 'stop 0: a full.example.com'],
    ours: ['monitor 0: a full.example.com', 'stop 0: '],
  },
  {
    id: 'exportfs#50, E9',
    what: 'options changed',
    params: one,
    async story({ box, call }) {
      await call('start');
      await call('start', { options: 'ro' });
      return [(await box.read('/var/lib/nfs/etab')).includes('*(ro,') ? 'ro' : 'rw'];
    },
    installed: ['rw'],
    ours: ['ro'],
  },
  {
    id: 'exportfs#73, E10',
    what: 'status',
    params: one,
    story: async ({ call }) => [await call('status'), await call('start'), await call('status')],
    installed: ['status 3: ', 'start 0: a *', 'status 3: a *'],
    ours: ['status 7: ', 'start 0: a *', 'status 0: a *'],
  },
  {
    id: 'exportfs#22, E12',
    what: 'stop without clientspec',
    params: (box) => ({ ...one(box), clientspec: '' }),
    story: async ({ call }) => [await call('stop')],
    installed: ['stop 6: '],
    ours: ['stop 0: '],
  },
  {
    id: 'exportfs#52, E13',
    what: 'a blank in options',
    params: (box) => ({ ...one(box), options: 'rw, sync' }),
    story: async ({ call }) => [await call('start')],
    installed: ['start 1: a *'],
    ours: ['start 6: '],
  },
  {
    id: 'E14',
    what: 'the NFS server has no threads',
    params: one,
    async story({ box, call }) {
      await call('start');
      await box.write('/proc/fs/nfsd/threads', '0\n');
      return [await call('monitor', rec)];
    },
    installed: ['monitor 0: a *'],
    ours: ['monitor 1: a *'],
  },
  {
    id: 'exportfs#66, E15',
    what: 'the wait for leases without a client',
    params: (box) => ({ ...one(box), wait_for_leasetime_on_stop: 1 }),
    async story({ box, call, said, isStock }) {
      // the stock agent sleeps for as long; ours would say that its timeout is too short for so much
      await box.write('/proc/fs/nfsd/nfsv4leasetime', isStock ? '2\n' : '600\n');
      await box.run('mkdir', '/proc/fs/nfsd/clients');
      await call('start');
      const answer = await call('stop');
      return [answer, /Sleeping|waited/.test(said().stderr) ? 'slept' : 'at once'];
    },
    installed: ['stop 0: ', 'slept'],
    ours: ['stop 0: ', 'at once'],
  },
  {
    id: 'exportfs#28, E1, X17',
    what: 'neither options nor fsid: is it exported after start 0?',
    params: (box) => ({ clientspec: '*', directory: box.directory('a'), rmtab_backup: 'none' }),
    story: async ({ call }) => [await call('start'), await call('monitor', rec)],
    installed: ['start 6: ', 'monitor 6: '],
    later: ['start 0: ', 'monitor 7: '],
    ours: ['start 0: a *', 'monitor 0: a *'],
  },
  {
    id: 'exportfs#48, E3',
    what: 'the mark of the start is lost',
    params: one,
    async story({ box, call }) {
      await call('start');
      await box.run('sh', '-c', `rm -rf ${box.folder}/memory/*`);
      return [await call('monitor'), await call('stop')];
    },
    installed: ['monitor 7: a *', 'stop 0: a *'],
    later: ['monitor 7: a *', 'stop 0: a *'],
    ours: ['monitor 0: a *', 'stop 0: '],
  },
  {
    id: 'exportfs#74, E11',
    what: 'what a monitor prints',
    params: one,
    async story({ call, said }) {
      await call('start');
      await call('monitor', rec);
      return [said().stdout];
    },
    later: ['105'],
    ours: [''],
  },
  {
    id: 'exportfs#68, X2',
    what: 'a lease that outlasts the stop’s timeout: does it end in time?',
    params: (box) => ({ ...one(box), wait_for_leasetime_on_stop: 1, meta_timeout: 10_000 }),
    async story({ box, call, said }) {
      await box.write('/proc/fs/nfsd/nfsv4leasetime', '12\n');
      await call('start');
      const answer = await call('stop');
      return [answer, /waited \d s of the 12 s lease/.test(said().stderr) ? 'in time' : 'too late'];
    },
    installed: ['stop 0: ', 'too late'],
    ours: ['stop 0: ', 'in time'],
  },
  {
    id: 'X5',
    what: 'another export on the same filesystem: do its clients keep their locks?',
    params: one,
    async story({ box, call }) {
      await box.run('exportfs', '-i', '-o', 'rw', `*:${box.directory('b')}`);
      await call('start');
      return [await call('stop'), (await box.read('/proc/fs/nfsd/unlock_filesystem')) ? 'lost' : 'kept'];
    },
    installed: ['stop 0: b *', 'lost'],
    later: ['stop 0: b *', 'lost'],
    ours: ['stop 0: b *', 'kept'],
  },
  {
    id: 'X7',
    what: 'what grep says of the stop of two directories',
    params: two,
    async story({ call, said }) {
      await call('start');
      await call('stop');
      return [said().stderr.includes('grep: ') ? 'something' : 'nothing'];
    },
    installed: ['something'],
    ours: ['nothing'],
  },
  {
    id: 'exportfs#53, X21',
    what: 'a blank in the directory',
    params: (box) => ({ ...plain, directory: box.directory('e x') }),
    story: async ({ call }) => [await call('start'), await call('monitor', rec), await call('stop')],
    installed: ['start 6: ', 'monitor 1: ', 'stop 0: '],
    later: ['start 6: ', 'monitor 7: ', 'stop 0: '],
    ours: ['start 0: e\\040x *', 'monitor 0: e\\040x *', 'stop 0: '],
  },
];

testDefects(defects, async ({ params, story }, { release }, expected) => {
  const box = await openSandbox();
  try {
    await box.write('/etc/exports', '');
    const given = params(box);
    let last = { stdout: '', stderr: '' };
    const call: Stage['call'] = async (action, more = {}) => {
      const asked = { ...given, ...more };
      const answer = await (release ? box.stock(action, asked, release) : box.ours(action, asked));
      last = answer;
      const left = (await box.exported()).map((line) => line.replace(`${box.folder}/`, ''));
      return `${action} ${answer.code}: ${left.join(', ')}`;
    };
    const seen = await story({ box, call, said: () => last, isStock: release !== undefined });
    expect(seen.map((line) => line.replaceAll(box.folder, 'FOLDER'))).toEqual(expected);
  } finally {
    await box.close();
  }
});
