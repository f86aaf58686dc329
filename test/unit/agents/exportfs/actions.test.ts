import { describe, expect, test } from 'vitest';
import { double, node, type Params, single } from '../../../fake/exportfs-node.ts';
import { type ExportingMachine, etabLine } from '../../../fake/exports.ts';
import { hangs } from '../../../fake/machine.ts';

describe('what start exports', () => {
  test.each([
    ['one directory with a number', single, ['/usr *'], 'fsid=105'],
    ['a UUID', { ...single, fsid: '4f838db111112222333344445555666a' }, ['/usr *'], 'fsid=4f838db1'],
    ['several count on', double, ['/usr *', '/var *'], 'fsid=106'],
    [
      'counting on from the options',
      { directory: '/usr /var', options: 'rw,fsid=20' },
      ['/usr *', '/var *'],
      'fsid=21',
    ],
    [
      'the parameter wins',
      { directory: '/usr', options: 'rw,fsid=20,sync', fsid: '33' },
      ['/usr *'],
      'fsid=33',
    ],
    ['neither options nor fsid', { directory: '/usr' }, ['/usr *'], 'ro,'],
    ['a trailing slash', { directory: '/usr//' }, ['/usr *'], ''],
    ['root', { directory: '/' }, ['/ *'], ''],
    ['IPv6 without brackets', { directory: '/usr', clientspec: '2001:db8::5' }, ['/usr 2001:db8::5'], ''],
    ['an IPv6 network', { directory: '/usr', clientspec: '[2001:db8::]/64' }, ['/usr 2001:db8::/64'], ''],
    [
      'a pattern',
      { directory: '/usr', clientspec: '[ab]-host.example.com' },
      ['/usr [ab]-host.example.com'],
      '',
    ],
    ['an empty word in options', { directory: '/usr', options: 'rw,,sync' }, ['/usr *'], 'rw,'],
  ] as const)('%s', async (_what, params, exported, detail) => {
    const { machine, code, watch } = node({ rmtab_backup: 'none', ...params });
    expect(await code('start')).toBe(0);
    expect(machine.exported).toEqual(exported);
    expect(machine.etab).toContain(detail);
    expect((await watch()).code).toBe(0);
    expect(machine.ran).toEqual([]);
    expect(await code('start')).toBe(0);
    expect(machine.exported).toEqual(exported);
    expect(await code('stop')).toBe(0);
    expect(machine.exported).toEqual([]);
    expect(await code('monitor')).toBe(7);
    expect(await code('stop')).toBe(0);
  });

  test('without fsid there is none in etab', async () => {
    const { machine, code } = node({ directory: '/usr /var', rmtab_backup: 'none' });
    await code('start');
    expect(machine.etab).not.toContain('fsid=');
  });
});

describe('what is refused', () => {
  test.each([
    ['a comma in fsid', { directory: '/usr', fsid: '1,2' }, 6, 7, 1],
    ['a UUID for several directories', { directory: '/usr /var', fsid: 'a-b' }, 6, 7, 1],
    ['root for several directories', { directory: '/usr /var', fsid: 'root' }, 6, 7, 1],
    ['a UUID in the options of several', { directory: '/usr /var', options: 'fsid=a-b' }, 6, 7, 7],
    ['two clients', { directory: '/usr', clientspec: '10.0.0.0/24 10.0.1.0/24' }, 6, 7, 1],
    ['a blank in options', { directory: '/usr', options: 'rw, sync' }, 6, 7, 7],
    ['options in the client', { directory: '/usr', clientspec: '*(rw)' }, 6, 7, 1],
    ['a relative directory', { directory: 'usr' }, 6, 7, 1],
    ['a backup outside', { directory: '/usr', rmtab_backup: '../x' }, 6, 7, 7],
    ['no directory', {}, 6, 7, 6],
  ] as const)('%s', async (_what, params: Params, start, probe, monitor) => {
    const { machine, code, watch } = node(params);
    expect(await code('start')).toBe(start);
    expect(await code('validate-all')).toBe(start);
    expect(await code('monitor')).toBe(probe);
    expect((await watch()).code).toBe(monitor);
    expect(await code('stop')).toBe(0);
    expect(machine.exported).toEqual([]);
  });

  test.each([
    ['a directory that does not exist', '/no_such', 6],
    ['one of several', '/usr /no_such', 6],
    ['a file', '/etc/passwd', 5],
  ])('start of %s', async (_what, directory, expected) => {
    const { machine, code } = node({ directory }, (m) => m.files.set('/etc/passwd', 'root'));
    expect(await code('start')).toBe(expected);
    expect(machine.exported).toEqual([]);
    expect(await code('stop')).toBe(0);
  });

  test('unknown options: nothing is exported, and nothing else is touched', async () => {
    const { machine, run } = node({ directory: '/usr', options: 'rw,bogus' });
    machine.etab = etabLine('/srv/a', '*');
    const { code, reason } = await run('start');
    expect([code, reason]).toEqual([1, expect.stringContaining('unknown keyword')]);
    expect(machine.exported).toEqual(['/srv/a *']);
  });

  test('what another resource exports meanwhile is not taken back', async () => {
    const { machine, code } = node(double);
    const real = machine.handler('exportfs');
    machine.on('exportfs', (args, command) => {
      if (args.at(-1) !== '*:/var' || args.includes('-u')) return real(args, command);
      machine.etab += etabLine('/usr', '10.0.0.0/8') + etabLine('/var', '10.0.0.0/8');
      return { code: 1, stderr: 'exportfs: no\n' };
    });
    expect(await code('start')).toBe(1);
    expect(machine.exported).toEqual(['/usr 10.0.0.0/8', '/var 10.0.0.0/8']);
  });

  test('a directory that cannot be exported takes the others back', async () => {
    const { machine, code } = node(double);
    machine.on('exportfs', (args) => {
      if (args.at(-1) === '*:/var' && !args.includes('-u')) return { code: 1, stderr: 'exportfs: no\n' };
      if (args.includes('-u')) machine.etab = '';
      else machine.etab = etabLine('/usr', '*');
      return '';
    });
    expect(await code('start')).toBe(1);
    expect(machine.exported).toEqual([]);
  });

  test.each([
    [
      'N5: exportfs says why',
      { stderr: 'exportfs: Failed to resolve x\n' },
      /^exportfs: Failed to resolve x, but/,
    ],
    ['it says nothing', {}, /exportfs ended well, but it did not export \/usr/],
    ['it says yes, and etab no', { stdout: 'exporting *:/usr\n' }, /etab does not list \/usr/],
    [
      'N5: its error comes last',
      { code: 1, stderr: 'exportfs: a warning\nexportfs: no\n' },
      /^exportfs: a warning; exportfs: no \(exportfs -v -i/,
    ],
  ])('exportfs that exports nothing is not believed: %s', async (_what, answer, reason) => {
    const { machine, run } = node(single);
    machine.on('exportfs', () => answer);
    expect(await run('start')).toMatchObject({ code: 1, reason: expect.stringMatching(reason) });
    expect(machine.exported).toEqual([]);
  });

  test('N5: an old entry does not stand for an export that exportfs could not make', async () => {
    const { machine, run } = node({ ...single, clientspec: 'gone.example.com', options: 'ro' });
    machine.etab = etabLine('/usr', 'gone.example.com', 'rw,fsid=105');
    machine.on('exportfs', () => ({ stderr: 'exportfs: Failed to resolve gone.example.com\n' }));
    for (const action of ['start', 'reload-agent'])
      expect(await run(action)).toMatchObject({
        code: 1,
        reason: expect.stringContaining('Failed to resolve gone.example.com'),
      });
    expect(machine.exported).toEqual(['/usr gone.example.com']);
  });
});

describe('what proves that this node exports', () => {
  const listed = (machine: ExportingMachine) => {
    machine.etab = etabLine('/usr', '*', 'rw,fsid=105');
  };
  test.each([
    ['nfsd runs: whoever exported it', (m: ExportingMachine) => listed(m), 0, 0],
    ['left from a crash, nfsd is down', (m: ExportingMachine) => listed(m.stopNfsd()), 7, 7],
    [
      'started on this boot, nfsd went down',
      (m: ExportingMachine) => {
        listed(m.stopNfsd());
        m.files.set('/run/resource-agents/share', '');
      },
      0,
      1,
    ],
    ['nothing in etab', () => {}, 7, 7],
    ['no etab', (m: ExportingMachine) => m.files.delete('/var/lib/nfs/etab'), 7, 7],
    ['only its neighbour', (m: ExportingMachine) => (m.etab = etabLine('/usr/bin', '*')), 7, 7],
    ['only for another client', (m: ExportingMachine) => (m.etab = etabLine('/usr', '10.0.0.0/8')), 7, 7],
  ] as const)('%s', async (_what, prepare, probe, monitor) => {
    const { code, watch } = node({ ...single, options: 'rw' }, prepare);
    expect(await code('monitor')).toBe(probe);
    const watched = await watch();
    expect(watched.code).toBe(monitor);
    expect(Boolean(watched.reason)).toBe(monitor !== 0);
  });

  test('a part is neither stopped nor running, and stop removes it', async () => {
    const { machine, run, watch } = node(double, (m) => (m.etab = etabLine('/usr', '*')));
    expect(await watch()).toMatchObject({ code: 1, reason: expect.stringContaining('/var is no longer') });
    expect((await run('monitor')).code).toBe(1);
    expect((await run('stop')).code).toBe(0);
    expect(machine.exported).toEqual([]);
  });

  test('a start takes over what came with the shared state directory', async () => {
    const { machine, code } = node(single, listed);
    expect(await code('start')).toBe(0);
    expect(machine.ran).toContain('exportfs -v -i -o fsid=105 *:/usr');
  });

  test('without tools', async () => {
    const { machine, code, watch } = node(single);
    machine.env['OCF_TESTER_FAIL_HAVE_BINARY'] = '1';
    expect([await code('start'), await code('monitor'), await code('stop')]).toEqual([5, 7, 0]);
    expect((await watch()).code).toBe(7);
  });
});

describe('a reload with an impossible value', () => {
  test.each([
    ['options: somebody may have taken something back', { options: 'ro, sync' }, 1],
    ['another parameter', { rmtab_backup: '../x' }, 0],
  ])('%s', async (_what, wrong, answer) => {
    const { machine, code, run } = node({ directory: '/usr', options: 'rw', rmtab_backup: 'none' });
    expect(await code('start')).toBe(0);
    const before = machine.etab;
    for (const [name, value] of Object.entries(wrong)) machine.env[`OCF_RESKEY_${name}`] = value;
    const { code: reloaded, reason = '' } = await run('reload-agent');
    expect({ reloaded, etab: machine.etab }).toEqual({ reloaded: answer, etab: before });
    expect(reason.includes('options "ro, sync"')).toBe(answer === 1);
    expect(await code('monitor')).toBe(0);
  });
});

describe('other options than configured', () => {
  test.each([
    ['rw instead of ro', 'rw', 'ro'],
    ['another fsid', 'rw,fsid=1', 'rw,fsid=2'],
    ['a squash that is gone', 'rw,no_root_squash', 'rw'],
  ])('%s: said once, changed by start and reload', async (_what, is, wanted) => {
    const { machine, warnings, watch, code } = node({
      directory: '/usr',
      options: wanted,
      rmtab_backup: 'none',
    });
    machine.etab = etabLine('/usr', '*', is);
    machine.files.set('/run/resource-agents/share', '');
    expect((await watch()).code).toBe(0);
    await watch();
    expect(warnings).toHaveLength(1);
    expect(await code('reload-agent')).toBe(0);
    expect(machine.etab).toBe(etabLine('/usr', '*', wanted));
  });

  test.each([
    ['rw,no_auth_nlm', 'rw,insecure_locks'],
    ['fsid=root', 'fsid=0'],
    ['fsid=0x10', 'fsid=16'],
    ['ro,rw', 'rw'],
  ])('%s is %s', async (options, written) => {
    const { machine, warnings, watch } = node({ directory: '/usr', options, rmtab_backup: 'none' });
    machine.etab = etabLine('/usr', '*', written);
    expect((await watch()).code).toBe(0);
    expect(warnings).toEqual([]);
  });

  test('N1: a host that DNS calls by another name now is not left exported under the old one', async () => {
    const { machine, code } = node({ ...single, clientspec: 'short', options: 'ro' });
    machine.hostNames.set('short', 'old.example.com');
    await code('start');
    machine.etab += etabLine('/usr', '10.0.0.0/24');
    machine.hostNames.set('short', 'new.example.com');
    expect(await code('start')).toBe(0);
    expect(machine.exported).toEqual(['/usr 10.0.0.0/24', '/usr new.example.com']);
  });

  test('N1: nor is the export of another resource taken for the old one', async () => {
    const { machine, code } = node({ ...single, clientspec: 'short' });
    machine.hostNames.set('short', 'old.example.com');
    await code('start');
    const facts = { spellings: [{ directory: '/usr', path: '/usr', client: 'old.example.com' }] };
    machine.files.set(
      '/run/resource-agents/tsha/exportfs-other.json',
      JSON.stringify({ bootId: 'boot-1', facts }),
    );
    machine.hostNames.set('short', 'new.example.com');
    expect(await code('start')).toBe(0);
    expect(machine.exported).toEqual(['/usr old.example.com', '/usr new.example.com']);
  });

  /** Another resource exports the same directory to a host of its own. */
  const neighbour = (machine: ExportingMachine) => {
    const page = {
      bootId: 'boot-1',
      params: { directory: '/usr', clientspec: 'other.example.com' },
      facts: { spellings: [{ directory: '/usr', path: '/usr', client: 'other.example.com' }] },
    };
    machine.files.set('/run/resource-agents/tsha/exportfs-other.json', JSON.stringify(page));
    machine.etab += etabLine('/usr', 'other.example.com');
  };

  test.each(['start', 'reload-agent'])(
    'N1: beside another host, %s ends the old line all the same',
    async (action) => {
      const { machine, code } = node({ ...single, clientspec: 'short' }, neighbour);
      machine.hostNames.set('short', 'old.example.com');
      await code('start');
      machine.hostNames.set('short', 'new.example.com');
      expect(await code(action)).toBe(0);
      expect(machine.exported).toEqual(['/usr other.example.com', '/usr new.example.com']);
    },
  );

  test('N1: beside another host, a line of which nobody knows whose it is stays in doubt', async () => {
    const { machine, code, watch } = node({ ...single, clientspec: 'short' }, (it) => {
      it.etab = etabLine('/usr', 'old.example.com');
      neighbour(it);
      it.on('getent', (_args, command) => hangs(command, it));
    });
    expect((await watch()).code).toBe(1);
    expect(await code('stop')).toBe(1);
    expect(machine.exported).toEqual(['/usr old.example.com', '/usr other.example.com']);
  });

  test('N1: whatever the option, what etab says otherwise than our start is told once', async () => {
    const { machine, warnings, code, watch } = node({ ...single, options: 'rw,anonuid=5' });
    await code('start');
    await watch();
    expect(warnings).toEqual([]);
    machine.etab = machine.etab.replace('anonuid=65534', 'anonuid=7');
    await watch();
    await watch();
    expect(warnings).toEqual([expect.stringContaining('/usr is anonuid=7, not anonuid=65534')]);
  });

  test('N1: a change of options is followed by a second flush, none by none', async () => {
    const { machine, code } = node({ ...single, options: 'rw' });
    const flushes = () => machine.ran.filter((line) => /^tee .*nfsd\.export\/flush/.test(line)).length;
    machine.etab = etabLine('/usr', '*', 'rw,no_root_squash,fsid=105');
    expect([await code('start'), flushes()]).toEqual([0, 1]);
    expect([await code('start'), flushes()]).toEqual([0, 0]);
  });

  test('reload of what is not exported', async () => {
    const { code } = node(single);
    expect(await code('reload-agent')).toBe(1);
  });
});
