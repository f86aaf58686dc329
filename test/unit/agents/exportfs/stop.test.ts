import { describe, expect, test } from 'vitest';
import { exportfs } from '../../../../agents/exportfs/agent.ts';
import { runAction } from '../../../../lib/ocf/run.ts';
import { node } from '../../../fake/exportfs-node.ts';
import { ExportingMachine, etabLine } from '../../../fake/exports.ts';
import { hangs } from '../../../fake/machine.ts';
import { silentLog, troubleTo } from '../../../fake/story.ts';

const unlock = '/proc/fs/nfsd/unlock_filesystem';

async function stopped(
  params: { readonly [name: string]: string },
  prepare: (machine: ExportingMachine) => void,
  timeoutMs = 120_000,
) {
  const env: NodeJS.ProcessEnv = {
    OCF_RESOURCE_INSTANCE: 'share',
    OCF_RESKEY_CRM_meta_timeout: String(timeoutMs),
  };
  const given = { clientspec: '*', directory: '/usr', rmtab_backup: 'none', ...params };
  for (const [name, value] of Object.entries(given)) env[`OCF_RESKEY_${name}`] = value;
  const machine = new ExportingMachine(env);
  machine.etab = given.directory
    .split(' ')
    .map((directory) => etabLine(directory, given.clientspec))
    .join('');
  prepare(machine);
  const warnings: string[] = [];
  const log = troubleTo(warnings);
  const result = await runAction(exportfs, 'stop', machine, log);
  return { machine, warnings, result, unlocked: machine.files.get(unlock), seconds: machine.clock / 1000 };
}

describe('locks', () => {
  test('X3: are released after the export is gone, so that the filesystem can be unmounted', async () => {
    const { machine, unlocked } = await stopped({ directory: '/usr' }, () => {});
    expect(unlocked).toBe('/usr\n');
    const order = machine.ran.filter((line) => /^(exportfs|tee)/.test(line));
    expect(order).toEqual(['exportfs -v -u *:/usr', `tee ${unlock}`]);
  });

  test.each(['0', 'no', 'off'])('unlock_on_stop=%s', async (unlock_on_stop) => {
    const { unlocked, warnings } = await stopped({ unlock_on_stop }, () => {});
    expect([unlocked, warnings]).toEqual(['', []]);
  });

  test('without the kernel file', async () => {
    const { result, warnings } = await stopped({}, (m) => m.files.delete(unlock));
    expect(result.code).toBe(0);
    expect(warnings).toEqual([expect.stringContaining('cannot release the locks on /usr')]);
  });

  test('a lookup that hangs is left behind', async () => {
    const { result, warnings } = await stopped({}, (m) => m.on('tee', (_args, command) => hangs(command, m)));
    expect(result.code).toBe(0);
    expect(warnings).toEqual([expect.stringContaining('state D')]);
  });

  test('X5: of a filesystem that is still exported stay', async () => {
    const other = (m: ExportingMachine) => {
      m.etab += etabLine('/usr', '10.0.0.0/8');
    };
    const { machine, unlocked } = await stopped({}, other);
    expect(unlocked).toBe('');
    expect(machine.exported).toEqual(['/usr 10.0.0.0/8']);
  });

  test.each([
    ['that was started here are released', true, '/usr\n'],
    ['of a resource that never ran here are none', false, ''],
  ])('taken out of etab by somebody else: those %s', async (_, started, expected) => {
    const { unlocked, result } = await stopped({}, (m) => {
      m.etab = '';
      if (started) m.files.set('/run/resource-agents/share', '');
    });
    expect([result.code, unlocked]).toEqual([0, expected]);
  });

  test.each<[string, { readonly [name: string]: string }, (m: ExportingMachine) => unknown]>([
    ['unlock_on_stop=0', { unlock_on_stop: '0' }, () => {}],
    ['another export of the filesystem', {}, (m) => (m.etab += etabLine('/var', '*'))],
    [
      'the server ends first',
      { directory: '/nfsdata' },
      (m) => m.mount('/nfsdata', '147:1').mount('/var/lib/nfs', '147:1'),
    ],
  ])(
    'they stay, so exportfs, which may revoke them, takes nothing out: %s',
    async (_what, params, prepare) => {
      const { machine, result, unlocked, warnings } = await stopped(params, prepare);
      expect([result.code, unlocked, warnings]).toEqual([0, '', []]);
      expect(machine.exported.filter((line) => /^.(usr|nfsdata) /.test(line))).toEqual([]);
      expect(machine.ran.filter((line) => line.startsWith('exportfs') && line.includes('-u'))).toEqual([]);
      expect(machine.ran).toContainEqual(expect.stringMatching(/^tee .*nfsd.export.flush$/));
    },
  );

  test('of two that stop at once each sees that the other one is gone', async () => {
    const { machine, unlocked, result } = await stopped({ directory: '/usr' }, (m) => {
      m.etab += etabLine('/var', '*');
      const { follow } = m;
      m.follow = async (argv) => {
        m.etab = m.etab.replace(etabLine('/var', '*'), '');
        return follow.call(m, argv);
      };
    });
    expect([result.code, unlocked, machine.exported]).toEqual([0, '/usr\n', []]);
  });

  test('another export on another filesystem is no hindrance', async () => {
    const other = (m: ExportingMachine) => {
      m.mount('/nfsdata', '147:1').etab += etabLine('/nfsdata', '*');
    };
    expect((await stopped({}, other)).unlocked).toBe('/usr\n');
  });
});

describe('the kernel cache', () => {
  const content = '/proc/net/rpc/nfsd.export/content';
  const flushes = (machine: ExportingMachine) =>
    machine.ran.filter((line) => line.startsWith('tee /proc/net/rpc/auth.unix.ip/flush ')).length;

  test.each([
    ['ours, again and again', '/usr\t*(ro,fsid=105)\n', true],
    ['ours, for a host of two clients', '/usr\t10.0.0.0/8,*(ro)\n', true],
    ["another client's, to whom it is still exported", '/usr\t10.0.0.0/8(ro,fsid=105)\n', false],
    ['of somebody to whom it is exported no more', '/usr\t192.0.2.0/24(ro,fsid=105)\n', true, ''],
    ['another directory', '/usr/bin\t*(ro,fsid=105)\n', false],
    [
      'a refusal, or an answer that is flushed already: it holds the filesystem, too',
      '# /usr\t*(ro)\n',
      true,
    ],
    ['a refusal to somebody else', '# /usr\t-no-domain-()\n', true, ''],
  ])('%s', async (_what, line, isOurs, others = etabLine('/usr', '10.0.0.0/8')) => {
    const { machine, result, warnings, seconds } = await stopped({}, (m) => {
      m.files.set(content, line);
      m.etab += others;
    });
    expect(result.code).toBe(0);
    const own = machine.ran.some((command) => command.startsWith('exportfs')) ? 0 : 1;
    expect(flushes(machine) > own).toBe(isOurs);
    expect(flushes(machine)).toBeLessThanOrEqual(12);
    expect(warnings.length > 0).toBe(isOurs);
    expect(seconds).toBeLessThanOrEqual(5);
  });

  test('a flush in the second of another one clears nothing: it waits for the next', async () => {
    const since = Date.now();
    const { machine, warnings, seconds } = await stopped({}, (m) => {
      m.files.set(content, '# /usr\t*(ro)\n');
      m.files.set('/proc/net/rpc/nfsd.export/flush', `${Math.floor(since / 1000) + 1}\n`);
      m.onTick = (clock) => clock > 900 && m.files.set(content, '');
    });
    expect([flushes(machine), warnings]).toEqual([1, []]);
    expect(seconds).toBeGreaterThan(0.9);
    expect(seconds).toBeLessThan(3);
  });

  test('X6: a late answer of mountd is flushed', async () => {
    const { machine, warnings } = await stopped({}, (m) => {
      m.files.set(content, '/usr\t*(ro)\n');
      m.onTick = (clock) => clock > 100 && m.files.set(content, '');
    });
    expect(flushes(machine)).toBeGreaterThan(0);
    expect(warnings).toEqual([]);
  });
});

describe('leases', () => {
  const lease =
    (text: string, clients: readonly string[] = []) =>
    (m: ExportingMachine) => {
      m.files.set('/proc/fs/nfsd/nfsv4leasetime', text);
      m.factsOf.set('/proc/fs/nfsd/clients', { kind: 'directory' });
      clients.forEach((device, id) => {
        m.files.set(
          `/proc/fs/nfsd/clients/${id}/states`,
          `- 0x1: { type: open, superblock: "${device}:131" }\n`,
        );
      });
    };
  const wait = { wait_for_leasetime_on_stop: 'true' };
  test.each([
    ['nobody there', lease('90\n'), 120, 0, 0, 0],
    ['clients of another filesystem', lease('90\n', ['fd:00']), 120, 0, 0, 0],
    ['a client that holds on', lease('10\n', ['08:01']), 120, 12, 12, 0],
    ['a lease longer than the timeout', lease('90\n', ['08:01']), 20, 14, 17, 1],
    [
      'a kernel that does not tell',
      (m: ExportingMachine) => m.files.set('/proc/fs/nfsd/nfsv4leasetime', '1'),
      120,
      3,
      3,
      0,
    ],
    ['no lease time', () => {}, 120, 0, 0, 1],
  ] as const)('%s', async (_what, prepare, timeout, least, most, warned) => {
    const { result, seconds, warnings } = await stopped(wait, prepare, timeout * 1000);
    expect(result.code).toBe(0);
    expect(seconds).toBeGreaterThanOrEqual(least);
    expect(seconds).toBeLessThanOrEqual(most);
    expect(warnings).toHaveLength(warned);
  });

  test('a client that lets go ends the wait', async () => {
    const { seconds } = await stopped(wait, (m) => {
      lease('90', ['08:01'])(m);
      m.onTick = (clock) => clock >= 4000 && m.files.set('/proc/fs/nfsd/clients/0/states', '');
    });
    expect(seconds).toBeGreaterThanOrEqual(4);
    expect(seconds).toBeLessThan(5);
  });

  test.each([
    ['that the declared timeout allows', 'true', '90\n', 0],
    ['that outlasts the declared timeout', 'true', '115\n', 1],
    ['nobody waits for', 'false', '115\n', 0],
    ['that the kernel does not tell', 'true', undefined, 0],
  ])('X2: validate-all at level 10 about a lease %s', async (_what, waits, text, warned) => {
    const { run, warnings, machine } = node({ directory: '/usr', wait_for_leasetime_on_stop: waits });
    if (text !== undefined) machine.files.set('/proc/fs/nfsd/nfsv4leasetime', text);
    machine.env['OCF_CHECK_LEVEL'] = '10';
    expect((await run('validate-all')).code).toBe(0);
    expect(warnings).toHaveLength(warned);
  });

  test('off by default', async () => {
    expect((await stopped({}, lease('90', ['08:01']))).seconds).toBe(0);
  });
});

describe('exportfs that refuses', () => {
  test('one of two directories: both go, the second by rewriting etab', async () => {
    const { machine, result, warnings } = await stopped({ directory: '/usr /var' }, (m) =>
      m.refusesToUnexport.add('/usr'),
    );
    expect(result.code).toBe(0);
    expect(machine.exported).toEqual([]);
    expect(warnings).toEqual([expect.stringContaining('no way')]);
  });

  test('and an etab that cannot be written: the stop fails with both', async () => {
    const { result } = await stopped({}, (m) => {
      m.refusesToUnexport.add('/usr');
      m.write = async () => {};
    });
    expect(result).toMatchObject({
      code: 1,
      reason: expect.stringMatching(/^\/usr is still exported: .*no way/),
    });
  });

  describe('beside others that write etab', () => {
    const refuses = (m: ExportingMachine) => void m.refusesToUnexport.add('/usr');
    const ours = etabLine('/usr', '*');
    const lock = `flock -x -w 3 /run/resource-agents/tsha/exportfs-etab.lock sh`;
    /** Somebody writes etab when ours is written: whatever was read before is back. */
    const undoing = (m: ExportingMachine, times: number) => {
      const write = m.write.bind(m);
      m.write = async (path, text) => {
        await write(path, text);
        if (path.endsWith('/etab') && times-- > 0) m.etab += ours;
      };
    };

    test.each([
      ['once', 1, 0],
      ['twice', 2, 0],
      ['always', 9, 1],
    ])('ours comes back %s', async (_what, times, code) => {
      const { machine, result } = await stopped({}, (m) => {
        refuses(m);
        undoing(m, times);
      });
      expect([result.code, machine.exported]).toEqual([code, code ? ['/usr *'] : []]);
      const follows = machine.journal.filter((line) => line.startsWith('follow flock -x '));
      expect(follows).toHaveLength(Math.min(3, times + 1));
      expect(follows[0]).toContain(lock);
      expect(machine.journal.filter((line) => line.startsWith('unfollow '))).toHaveLength(follows.length + 1);
    });

    test('an exportfs that runs is waited for: what it adds stays, and what it brings back goes', async () => {
      const { machine, result, seconds } = await stopped({}, (m) => {
        refuses(m);
        m.process(77, { comm: 'exportfs\n' }, { exe: '/usr/sbin/exportfs' });
        m.files.set('/usr/sbin/exportfs', '').set('/proc/77/exe', '');
        m.onTick = (clock) => {
          if (clock < 1000 || !m.isLive(77)) return;
          m.etab = ours + etabLine('/srv/a', '*');
          m.endProcess(77);
        };
      });
      expect([result.code, machine.exported]).toEqual([0, ['/srv/a *']]);
      expect(seconds).toBeGreaterThanOrEqual(1);
    });

    test('one that never ends keeps nobody', async () => {
      const { machine, result } = await stopped({}, (m) => {
        refuses(m);
        m.process(77, { comm: 'exportfs\n' }, { exe: '/usr/sbin/exportfs' });
        m.files.set('/usr/sbin/exportfs', '');
      });
      expect([result.code, machine.exported]).toEqual([0, []]);
    });

    test('without flock it is done all the same', async () => {
      const { machine, result } = await stopped({}, (m) => {
        refuses(m);
        m.follow = async () => ({ next: (ms) => m.sleep(ms).then(() => ''), end: () => {} });
      });
      expect([result.code, machine.exported]).toEqual([0, []]);
    });
  });

  test('because someone else was quicker', async () => {
    const { result, warnings } = await stopped({}, (m) => {
      m.on('exportfs', () => {
        m.etab = '';
        return { code: 1, stderr: "exportfs: Could not find '*:/usr' to unexport.\n" };
      });
    });
    expect([result.code, warnings]).toEqual([0, []]);
  });
});

test('parameters that were deleted: what start was given is stopped', async () => {
  const machine = new ExportingMachine({
    OCF_RESOURCE_INSTANCE: 'share',
    OCF_RESKEY_clientspec: '*',
    OCF_RESKEY_directory: '/usr',
  });
  const log = silentLog;
  await runAction(exportfs, 'start', machine, log);
  delete machine.env['OCF_RESKEY_directory'];
  expect((await runAction(exportfs, 'stop', machine, log)).code).toBe(0);
  expect(machine.exported).toEqual([]);
});
