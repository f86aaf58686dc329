import { describe, expect, test } from 'vitest';
import { exportfs } from '../../../../agents/exportfs/agent.ts';
import { runAction } from '../../../../lib/ocf/run.ts';
import { ExportingMachine, etabLine } from '../../../fake/exports.ts';
import { hangs } from '../../../fake/machine.ts';
import { troubleTo } from '../../../fake/story.ts';

// The tutorial's stack: the exported filesystem is bound over /var/lib/nfs, so etab and rmtab lie on it.

const shared = { clientspec: '*', options: 'rw,sync,no_root_squash', directory: '/nfsdata', fsid: '0' };
const entry = () => etabLine('/nfsdata', '*', 'rw,sync,no_root_squash,fsid=0');
const placeholder = '/run/resource-agents/tsha/waiting-nfs-root *';
const content = '/proc/net/rpc/nfsd.export/content';

function node(params: { readonly [name: string]: string } = shared) {
  const env: NodeJS.ProcessEnv = { OCF_RESOURCE_INSTANCE: 'nfs-root' };
  for (const [name, value] of Object.entries(params)) env[`OCF_RESKEY_${name}`] = value;
  const machine = new ExportingMachine(env);
  machine.mount('/nfsdata', '147:1').mount('/var/lib/nfs', '147:1');
  const warnings: string[] = [];
  const log = troubleTo(warnings);
  const run = (action: string, interval = '10000') => {
    machine.journal.length = 0;
    machine.env['OCF_RESKEY_CRM_meta_interval'] = interval;
    return runAction(exportfs, action, machine, log);
  };
  return { machine, warnings, run };
}

test('from start to stop, etab is read and written by children only', async () => {
  const { machine, warnings, run } = node();
  const read = machine.read.bind(machine);
  machine.read = (path) => {
    expect(path).not.toMatch(/^\/(nfsdata|var\/lib\/nfs)/);
    return read(path);
  };
  expect((await run('start')).code).toBe(0);
  expect(machine.exported).toEqual(['/nfsdata *']);
  expect((await run('monitor')).code).toBe(0);
  expect(machine.ran).toEqual(['/agent beneath']);
  expect((await run('stop')).code).toBe(0);
  expect(machine.exported).toEqual([placeholder]);
  expect(machine.files.get('/proc/fs/nfsd/unlock_filesystem')).toBe('');
  expect((await run('monitor', '0')).code).toBe(7);
  expect(machine.files.has('/nfsdata/.rmtab')).toBe(false);
  expect(machine.journal.filter((line) => /^(write|remove) /.test(line))).not.toContainEqual(
    expect.stringMatching(/nfsdata|lib\/nfs/),
  );
  expect(warnings).toEqual([]);
});

describe('clients are kept waiting between the end of the export and the end of nfsd', () => {
  test('by a placeholder with the same number, put there first and taken away by the next start', async () => {
    const { machine, run } = node();
    machine.etab = entry();
    expect((await run('stop')).code).toBe(0);
    // what ends with the server keeps its locks: exportfs might have the kernel revoke them
    expect(machine.ran.filter((line) => line.startsWith('exportfs'))).toEqual([
      `exportfs -i -o ro,mp,fsid=0 *:${placeholder.split(' ')[0]}`,
    ]);
    expect((await run('stop')).code).toBe(0);
    expect((await run('start')).code).toBe(0);
    expect(machine.exported).toEqual(['/nfsdata *']);
  });

  test.each([
    ['another export is still served', (m: ExportingMachine) => (m.etab += etabLine('/srv/a', '*'))],
    ['nfsd is down', (m: ExportingMachine) => m.stopNfsd()],
    ['nfsd may go on: its state is elsewhere', (m: ExportingMachine) => m.mount('/var/lib/nfs', '147:2')],
    [
      'nfsd may go on: its state is the own one of this node',
      (m: ExportingMachine) => m.unmountAll().mount('/nfsdata', '147:1'),
    ],
  ] as const)('not when %s', async (_what, prepare) => {
    const { machine, run } = node();
    machine.etab = entry();
    prepare(machine);
    expect((await run('stop')).code).toBe(0);
    expect(machine.exported.some((line) => line.includes('waiting'))).toBe(false);
  });

  test('by the last of two that stop at the same moment', async () => {
    const { machine, run } = node();
    machine.etab = entry() + etabLine('/nfsdata/b', '*');
    const { follow } = machine;
    machine.follow = async (argv) => {
      machine.etab = machine.etab.replace(etabLine('/nfsdata/b', '*'), '');
      return follow.call(machine, argv);
    };
    expect((await run('stop')).code).toBe(0);
    expect(machine.exported).toEqual([placeholder]);
  });

  test('a placeholder that exportfs refuses stops nothing', async () => {
    const { machine, run } = node();
    machine.etab = entry();
    machine.on('exportfs', (args) => {
      if (!args.includes('-u')) return { code: 1, stderr: 'exportfs: no\n' };
      machine.etab = '';
      return '';
    });
    expect((await run('stop')).code).toBe(0);
    expect(machine.exported).toEqual([]);
  });
});

describe('etab below /run, as our nfsserver has it with a shared state directory', () => {
  const state = '/run/tsha-nfs/exports';
  const local = () => {
    const it = node();
    it.machine.files.set('/etc/nfs.conf.d/zz.conf', `[mountd]\nstate-directory-path=${state}\n`);
    it.machine.files.delete('/var/lib/nfs/etab');
    it.machine.files.delete('/var/lib/nfs/rmtab');
    it.machine.statePath = state;
    it.machine.etab = '';
    it.machine.files.set(`${state}/rmtab`, '');
    return it;
  };

  test('a steady monitor reads it without a command, served or not', async () => {
    const { machine, run } = local();
    expect((await run('start')).code).toBe(0);
    expect((await run('monitor')).code).toBe(0);
    expect(machine.ran).toEqual([]);
    // without NFSv3 clients nothing is written into the exported directory
    expect([...machine.files.keys()].filter((path) => path.startsWith('/nfsdata'))).toEqual([]);
  });

  test('clients are kept waiting with their locks all the same', async () => {
    const { machine, run } = local();
    machine.etab = entry();
    expect((await run('stop')).code).toBe(0);
    expect(machine.exported).toEqual([placeholder]);
    expect(machine.files.get('/proc/fs/nfsd/unlock_filesystem')).toBe('');
  });

  test('rmtab stays behind with the node, so it is saved', async () => {
    const { machine, run } = local();
    const mount = '10.0.0.7:/nfsdata:0x00000001\n';
    await run('start');
    machine.files.set(`${state}/rmtab`, mount);
    expect((await run('monitor')).code).toBe(0);
    expect(machine.files.get('/nfsdata/.rmtab')).toBe(mount);
    await run('stop');
    machine.etab = '';
    machine.files.set(`${state}/rmtab`, '');
    expect((await run('start')).code).toBe(0);
    expect(machine.files.get(`${state}/rmtab`)).toBe(mount);
    expect((await run('monitor')).code).toBe(0);
    expect(machine.ran).toEqual([]);
  });
});

describe('a client being served is proof enough', () => {
  test.each([
    ['ours', '/nfsdata\t*(rw,fsid=0)\n', []],
    ['among others of the same client', '/nfsdata\t10.0.0.0/8,*(rw,fsid=0)\n', []],
    ['a refusal is none', '# /nfsdata\t*(rw,fsid=0)\n', ['/agent beneath']],
    ["nor is another client's", '/nfsdata\t10.0.0.0/8(rw,fsid=0)\n', ['/agent beneath']],
    ['nor another directory', '/nfsdata/a\t*(rw,fsid=0)\n', ['/agent beneath']],
  ])('%s', async (_what, cache, commands) => {
    const { machine, run } = node();
    machine.etab = entry();
    machine.files.set(content, cache);
    expect((await run('monitor')).code).toBe(0);
    expect(machine.ran).toEqual(commands);
  });

  test('not to a probe, and not without nfsd', async () => {
    const { machine, run } = node();
    machine.files.set(content, '/nfsdata\t*(rw,fsid=0)\n');
    expect((await run('monitor', '0')).code).toBe(7);
    machine.stopNfsd();
    expect((await run('monitor')).code).toBe(7);
  });
});

describe('storage that hangs below etab', () => {
  const hung = () => {
    const it = node();
    it.machine.etab = entry();
    it.machine.on('/agent', (_args, command) => hangs(command, it.machine));
    return it;
  };
  test.each([
    ['start', 'start'],
    ['monitor', 'monitor'],
    ['stop', 'stop'],
  ])('%s is neither 0 nor 7 and names it', async (_what, action) => {
    const { run } = hung();
    expect(await run(action)).toMatchObject({
      code: 1,
      reason: expect.stringContaining('/var/lib/nfs/etab does not answer'),
    });
  });

  test('a probe does not take it for stopped', async () => {
    expect((await hung().run('monitor', '0')).code).toBe(1);
  });

  test('while clients are served, those who manage the storage report it', async () => {
    const { machine, run } = hung();
    machine.files.set(content, '/nfsdata\t*(rw,fsid=0)\n');
    expect((await run('monitor')).code).toBe(0);
  });
});

describe('N2: links that lead from the state directory to shared storage', () => {
  const linked = (prepare: (machine: ExportingMachine) => void) => {
    const it = node();
    const { machine } = it;
    machine.unmountAll().mount('/nfsdata', '147:1');
    machine.etab = entry();
    prepare(machine);
    const touched: string[] = [];
    const sees = (path: string) => /^\/(nfsdata|var\/lib\/nfs\/)/.test(path) && touched.push(path);
    for (const verb of ['read', 'write'] as const) {
      const own = machine[verb].bind(machine) as (path: string, text: string) => Promise<never>;
      machine[verb] = (path: string, text?: string) => {
        sees(path);
        return own(path, text ?? '');
      };
    }
    return { ...it, touched };
  };

  test.each([
    [
      'the directory',
      (m: ExportingMachine) => {
        m.links.set('/var/lib/nfs', '/nfsdata/nfs');
        m.etab = entry();
      },
    ],
    ['the directory, relative', (m: ExportingMachine) => m.links.set('/var/lib/nfs', '../../nfsdata')],
    ['one above it', (m: ExportingMachine) => m.links.set('/var/lib', '/nfsdata/lib')],
    [
      'etab and rmtab',
      (m: ExportingMachine) => {
        for (const file of ['etab', 'rmtab']) m.links.set(`/var/lib/nfs/${file}`, `/nfsdata/${file}`);
      },
    ],
  ])('%s: only children touch it', async (_what, prepare) => {
    const { machine, run, touched } = linked(prepare);
    for (const action of ['monitor', 'start', 'reload-agent', 'stop'])
      expect(await run(action), action).toMatchObject({ code: 0 });
    expect(touched).toEqual([]);
    machine.etab = entry();
    for (const reader of ['cat', '/agent']) machine.on(reader, (_args, command) => hangs(command, machine));
    for (const action of ['monitor', 'start', 'reload-agent', 'stop'])
      expect(await run(action), action).toMatchObject({
        code: 1,
        reason: expect.stringContaining('etab does not answer'),
      });
  });

  test('a link to where nothing can hang is read here, and a /var of its own, which Pacemaker shares', async () => {
    for (const prepare of [
      (m: ExportingMachine) => void m.links.set('/var/lib/nfs', '/srv/nfs'),
      (m: ExportingMachine) => void m.mount('/var', '8:2'),
    ]) {
      const { machine, run } = node();
      machine.unmountAll().mount('/nfsdata', '147:1');
      machine.files.delete('/var/lib/nfs/rmtab');
      machine.etab = entry();
      prepare(machine);
      expect((await run('monitor')).code).toBe(0);
      expect(machine.ran).toEqual([]);
    }
  });

  test('clients are kept waiting there, too: nfsd must end before the disk can go', async () => {
    const { machine, run } = linked((m) => m.links.set('/var/lib/nfs', '/nfsdata/nfs'));
    expect((await run('stop')).code).toBe(0);
    expect(machine.exported).toEqual([placeholder]);
    expect(machine.files.get('/proc/fs/nfsd/unlock_filesystem')).toBe('');
  });
});

describe('an error is no absence', () => {
  test('F8: etab that cannot be read is neither exported nor not', async () => {
    const { machine, run } = node();
    machine.unmountAll();
    const own = machine.read.bind(machine);
    machine.read = (path) =>
      path.endsWith('/etab') ? Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO' })) : own(path);
    for (const action of ['monitor', 'start', 'stop'])
      expect(await run(action)).toMatchObject({ code: 1, reason: expect.stringContaining('etab: EIO') });
    expect((await run('monitor', '0')).code).toBe(1);
  });
});

test('a new, empty state directory gets its etab: exportfs would fail without', async () => {
  const { machine, run } = node();
  machine.files.delete('/var/lib/nfs/etab');
  machine.on('exportfs', () => {
    if (!machine.files.has('/var/lib/nfs/etab')) return { code: 1, stderr: "can't open etab\n" };
    machine.etab = entry();
    return 'exporting *:/nfsdata\n';
  });
  expect((await run('start')).code).toBe(0);
});

test.each([
  ['on shared storage', () => {}],
  ['of this node', (m: ExportingMachine) => m.unmountAll()],
] as const)(
  'a state directory %s without etab: what another start writes meanwhile stays',
  async (_where, prepare) => {
    const { machine, run } = node();
    prepare(machine);
    machine.files.delete('/var/lib/nfs/etab');
    const own = machine.handler('/agent');
    machine.on('/agent', (args, command) => {
      if (String(command.input).includes('"createFile"')) machine.etab = etabLine('/srv/b', '*');
      return own(args, command);
    });
    expect((await run('start')).code).toBe(0);
    expect(machine.exported).toEqual(['/srv/b *', '/nfsdata *']);
  },
);

describe('rmtab on another filesystem', () => {
  const line = (path: string, client = '10.0.0.7') => `${client}:${path}:0x00000001\n`;
  const apart = (params: { readonly [name: string]: string } = {}) => {
    const it = node({ clientspec: '*', directory: '/srv/a /nfsdata', ...params });
    it.machine.files.set('/proc/self/mountinfo', '1 0 8:1 / / rw - ext4 /dev/sda1 rw\n');
    it.machine.mount('/srv/a', '147:1').mount('/nfsdata', '147:2');
    it.machine.etab = etabLine('/srv/a', '*', '') + etabLine('/nfsdata', '*', '');
    it.machine.files.set('/var/lib/nfs/rmtab', line('/nfsdata') + line('/nfsdata/sub') + line('/nfsdata2'));
    return it;
  };

  test('is saved per directory, and written only when it changed', async () => {
    const { machine, run } = apart();
    expect((await run('monitor')).code).toBe(0);
    expect(machine.files.get('/nfsdata/.rmtab')).toBe(line('/nfsdata') + line('/nfsdata/sub'));
    expect((await run('monitor')).code).toBe(0);
    expect(machine.ran).toEqual([]);
    machine.files.set('/var/lib/nfs/rmtab', '');
    await run('monitor');
    expect(machine.files.get('/nfsdata/.rmtab')).toBe('');
  });

  test.each([
    ['nowhere', { rmtab_backup: 'none' }, undefined],
    ['in a file of another name', { rmtab_backup: '.state/rmtab' }, '/nfsdata/.state/rmtab'],
  ])('%s', async (_what, params, file) => {
    const { machine, run } = apart(params);
    machine.directories.add('/nfsdata/.state');
    expect((await run('monitor')).code).toBe(0);
    expect([...machine.files.keys()].find((path) => path.startsWith('/nfsdata/'))).toBe(file);
  });

  test('without an rmtab there is nothing to save, and nothing to say', async () => {
    const { machine, warnings, run } = apart();
    machine.files.delete('/var/lib/nfs/rmtab');
    expect((await run('monitor')).code).toBe(0);
    expect(warnings).toEqual([]);
    expect(machine.ran).toEqual([]);
  });

  test('a directory that cannot be written is told once and delays nothing for long', async () => {
    const { machine, warnings, run } = apart();
    machine.on('/agent', (_args, command) => hangs(command, machine));
    expect((await run('monitor')).code).toBe(0);
    expect((await run('monitor')).code).toBe(0);
    expect(warnings.filter((warning) => warning.includes('/nfsdata'))).toHaveLength(1);
  });

  test('start restores what mountd does not know, again if mountd replaced the file meanwhile', async () => {
    const { machine, run } = apart();
    machine.files.set('/nfsdata/.rmtab', line('/nfsdata') + line('/nfsdata', '10.0.0.8') + line('/nfsdata2'));
    machine.files.set('/var/lib/nfs/rmtab', line('/nfsdata'));
    let interfered = false;
    machine.onTick = () => {
      if (interfered || !machine.files.get('/var/lib/nfs/rmtab')?.includes('10.0.0.8')) return;
      interfered = true;
      machine.files.set('/var/lib/nfs/rmtab', line('/nfsdata') + line('/srv/a', '10.0.0.5'));
    };
    expect((await run('start')).code).toBe(0);
    expect(interfered).toBe(true);
    expect(machine.files.get('/var/lib/nfs/rmtab')).toBe(
      line('/nfsdata') + line('/srv/a', '10.0.0.5') + line('/nfsdata', '10.0.0.8'),
    );
  });
});
