import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { NfsMachine } from '../../../fake/nfs-machine.ts';
import { run, shared, started, stateMount } from '../../../fake/nfsserver-machine.ts';

describe('parameters', () => {
  test.each<[string, NodeJS.ProcessEnv, number]>([
    ['nfsserver#13: none', {}, 0],
    ['nfsserver#14: retry time', { OCF_RESKEY_nfs_smnotify_retry_time: '5' }, 0],
    ['nfsserver#14: retry time that is none', { OCF_RESKEY_nfs_smnotify_retry_time: 'abc' }, 6],
    ['nfsserver#20: init script under systemd', { OCF_RESKEY_nfs_init_script: '/nonexistent' }, 0],
    ['nfsserver#89: scope', { OCF_RESKEY_nfs_server_scope: '2001:db8::1' }, 0],
    ['nfsserver#90: scope for a shell', { OCF_RESKEY_nfs_server_scope: 'x; rm -rf /' }, 6],
    ['scope too long', { OCF_RESKEY_nfs_server_scope: 'x'.repeat(65) }, 6],
    ['nfsserver#16: clone with a shared directory', { ...shared, OCF_RESKEY_CRM_meta_clone: '0' }, 6],
    ['nfsserver#18: clone without', { OCF_RESKEY_CRM_meta_clone: '0' }, 0],
    ['relative directory', { OCF_RESKEY_nfs_shared_infodir: 'nfsdata' }, 6],
    ['a port', { OCF_RESKEY_mountd_port: '892' }, 0],
    ['a port that is none', { OCF_RESKEY_mountd_port: '99999' }, 6],
  ])('%s', async (_what, env, code) => {
    expect((await run(new NfsMachine(env), 'validate-all')).code).toBe(code);
  });

  test('nfsserver#17: a configuration error does not keep a stop from working', async () => {
    const machine = await started();
    machine.env['OCF_RESKEY_CRM_meta_clone'] = '0';
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(stateMount(machine)).toEqual([]);
  });
});

describe('server scope', () => {
  const fragment = '/run/tsha-nfs/nfs.conf';
  const dropIn = '/run/systemd/system/nfs-server.service.d/zzzz-tsha-scope.conf';

  test('nfsserver#85,86: the parameter goes to nfs.conf where nfs-utils knows it', async () => {
    const machine = new NfsMachine({ ...shared, OCF_RESKEY_nfs_server_scope: 'nfs.example.com' });
    expect((await run(machine, 'monitor')).code).toBe(7); // the order of a shutdown is read then
    const before = machine.ran.length;
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.files.get(fragment)).toContain('scope=nfs.example.com');
    expect(machine.ran.slice(before)).not.toContain('systemctl daemon-reload');
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(machine.files.has(fragment)).toBe(false);
  });

  test('nfsserver#85: before that to a drop-in, which systemd must read once', async () => {
    const machine = new NfsMachine({ ...shared, OCF_RESKEY_nfs_server_scope: 'nfs' });
    machine.knowsScope = false;
    for (let time = 0; time < 2; time++) {
      expect((await run(machine, 'start')).code).toBe(0);
      expect(machine.files.get(dropIn)).toContain('ExecStart=\nExecStart=/usr/bin/unshare --uts');
      expect(machine.files.get('/run/tsha-nfs/scope')).toBe('nfs\n');
      expect((await run(machine, 'stop')).code).toBe(0);
    }
    const reloads = () => machine.ran.filter((line) => line === 'systemctl daemon-reload').length;
    expect(reloads()).toBe(2); // once more for the order of a shutdown
    machine.loadedDropIns = []; // an agent was killed between writing and reloading
    expect((await run(machine, 'start')).code).toBe(0);
    expect(reloads()).toBe(3);
  });

  test('the probe of a passive node has it read beforehand, so that the first start there need not wait', async () => {
    const machine = new NfsMachine({ ...shared, OCF_RESKEY_nfs_server_scope: 'nfs' });
    machine.knowsScope = false;
    expect((await run(machine, 'monitor')).code).toBe(7);
    expect(machine.loadedDropIns).toEqual([dropIn]);
    const before = machine.ran.length;
    expect((await run(machine, 'monitor')).code).toBe(7);
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.ran.slice(before)).not.toContain('systemctl daemon-reload');
    expect(machine.files.get('/run/tsha-nfs/scope')).toBe('nfs\n');
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(machine.files.has('/run/tsha-nfs/scope')).toBe(false);
  });

  test('a probe answers in time whatever becomes of that, and a recurring monitor leaves it', async () => {
    const machine = new NfsMachine({ ...shared, OCF_RESKEY_CRM_meta_timeout: '20000' });
    machine.knowsScope = false;
    machine.on('systemctl', (_args, { timeoutMs }) => {
      machine.clock += timeoutMs;
      return { code: 124, hung: 'pid 77 in state S' };
    });
    expect((await run(machine, 'monitor')).code).toBe(7);
    expect(machine.clock).toBeLessThan(10_000);
    machine.env['OCF_RESKEY_CRM_meta_interval'] = '10000';
    const before = machine.ran.length;
    expect((await run(machine, 'monitor')).code).toBe(7);
    expect(machine.ran.slice(before)).toEqual([]);
  });

  test.each([
    ['says nothing', { code: 2 }],
    ['cannot be run', { code: 126, stderr: 'cannot run rpc.nfsd: EAGAIN\n' }],
    ['hangs', { code: 124, hung: 'pid 77 in state D' }],
  ])('an rpc.nfsd that %s: a drop-in, which is right with every nfs-utils', async (_what, answer) => {
    const machine = new NfsMachine({ ...shared, OCF_RESKEY_nfs_server_scope: 'nfs' });
    machine.on('rpc.nfsd', () => answer);
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.loadedDropIns).toEqual([dropIn]);
    expect(machine.files.get('/run/tsha-nfs/scope')).toBe('nfs\n');
  });

  test('start does not take its own question to rpc.nfsd for a leftover of the server, and end it', async () => {
    const machine = new NfsMachine({ ...shared, OCF_RESKEY_nfs_server_scope: 'nfs' });
    machine.on('rpc.nfsd', async () => {
      machine.process(4711, { comm: 'rpc.nfsd\n' }, { exe: '/usr/sbin/rpc.nfsd' });
      await sleep(20); // of the real clock: the machine's does not run beside anything
      machine.endProcess(4711);
      return { code: 2, stderr: "rpc.nfsd: unrecognized option '--scope=x'\nUsage:\n" };
    });
    const list = machine.list.bind(machine);
    machine.list = async (dir) => {
      await sleep(5);
      return list(dir);
    };
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.ran).toContain('rpc.nfsd --scope=x --help');
    expect(machine.journal.filter((line) => line.startsWith('signal '))).toEqual([]);
  });

  test('a systemd that tells nothing of the unit is a failure, too', async () => {
    const machine = new NfsMachine({ ...shared, OCF_RESKEY_nfs_server_scope: 'nfs' });
    machine.knowsScope = false;
    machine.on('systemctl', () => '');
    const result = await run(machine, 'start');
    expect(result).toMatchObject({ code: 1, reason: expect.stringContaining('server scope cannot be set') });
  });

  test('a drop-in that systemd does not take is a failure, not a lost lock later', async () => {
    const machine = new NfsMachine({ ...shared, OCF_RESKEY_nfs_server_scope: 'nfs' });
    machine.knowsScope = false;
    machine.ignoresDropIns = true;
    const result = await run(machine, 'start');
    expect(result).toMatchObject({ code: 1, reason: expect.stringContaining('server scope cannot be set') });
  });

  const unitDir = 'systemd/system/nfs-server.service.d';
  const admins = '[Service]\nExecStart=\nExecStart=/usr/sbin/rpc.nfsd --debug\n';
  test.each([
    ['of systemctl edit', `/etc/${unitDir}/override.conf`, 'before'],
    ['that comes last', `/etc/${unitDir}/zzzzz.conf`, 'before'],
    ['of systemctl edit, made while the server ran', `/etc/${unitDir}/override.conf`, 'after'],
    ['that comes last, made while the server ran', `/etc/${unitDir}/zzzzz.conf`, 'after'],
  ])('an ExecStart of the administrator %s', async (_what, file, when) => {
    const machine = new NfsMachine({ ...shared, OCF_RESKEY_nfs_server_scope: 'nfs' });
    machine.knowsScope = false;
    const edit = async () => {
      machine.files.set(file, admins);
      await machine.run({ argv: ['systemctl', 'daemon-reload'], timeoutMs: 1000 });
    };
    if (when === 'before') await edit();
    else for (const action of ['start', 'stop']) expect((await run(machine, action)).code).toBe(0);
    if (when === 'after') await edit();
    const result = await run(machine, 'start');
    if (file.endsWith('override.conf')) {
      expect(result.code).toBe(0);
      expect(machine.loadedDropIns).toEqual([file, dropIn]);
      expect(machine.files.get(dropIn)).toMatch(/^ExecStart=\/usr\/bin\/unshare --uts .* --debug$/m);
    } else
      expect(result).toEqual({
        code: 1,
        outcome: 'failed',
        reason: expect.stringContaining(`${file} has an ExecStart and is read after ${dropIn}`),
      });
  });

  test.each(['51-tsha-scope.conf', '51-resource-agents-unshare-uts.conf'])(
    '%s of before goes',
    async (name) => {
      const machine = new NfsMachine({ ...shared, OCF_RESKEY_nfs_server_scope: 'nfs' });
      machine.knowsScope = false;
      machine.files.set(`/run/${unitDir}/${name}`, admins);
      expect((await run(machine, 'start')).code).toBe(0);
      expect(machine.loadedDropIns).toEqual([dropIn]);
      expect(machine.files.get(dropIn)).not.toContain('--debug');
    },
  );

  test('nfsserver#87: a drop-in goes when the scope is no longer wanted', async () => {
    const machine = new NfsMachine({ OCF_RESKEY_nfs_no_notify: '1' });
    machine.files.set(dropIn, 'old');
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.files.has(dropIn)).toBe(false);
  });

  test('one that the administrator wrote into nfs.conf is left alone', async () => {
    const machine = new NfsMachine(shared);
    machine.files.set('/etc/nfs.conf.d/ours.conf', '[nfsd]\nscope=bank\n');
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.files.get(fragment)).not.toContain('scope');
  });

  test.each([
    ['as the name of the node where nfs-utils does not know the key', shared, 'bank', /^bank\n$/],
    ['also without a shared directory', { OCF_RESKEY_nfs_no_notify: '1' }, 'bank', /^bank\n$/],
    ['in place of one that is no name: one of its own', shared, 'my bank', /^tsha-[0-9a-f]{16}\n$/],
  ])('the scope of nfs.conf %s', async (_what, env, scope, expected) => {
    const machine = new NfsMachine(env);
    machine.knowsScope = false;
    machine.files.set('/etc/nfs.conf.d/ours.conf', `[nfsd]\nscope=${scope}\n`);
    expect((await run(machine, 'monitor')).code).toBe(7);
    expect(machine.loadedDropIns).toContain(dropIn);
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.files.get('/run/tsha-nfs/scope')).toMatch(expected);
    const said = machine.warnings.filter((line) => line.includes('scope'));
    expect(said).toHaveLength(scope === 'bank' ? 0 : 1);
  });

  test('none is made up where no state is shared', async () => {
    const machine = await started({ OCF_RESKEY_nfs_no_notify: '1' });
    expect(machine.files.get(fragment)).not.toContain('scope=');
  });
});

describe('the list of exports', () => {
  const link = '/etc/nfs.conf.d/zz-tsha-nfsserver.conf';

  test('is kept off the failover filesystem while the server runs', async () => {
    const machine = await started();
    expect(machine.links.get(link)).toBe('/run/tsha-nfs/nfs.conf');
    for (const section of ['exportd', 'mountd'])
      expect(machine.files.get('/run/tsha-nfs/nfs.conf')).toContain(
        `[${section}]\nstate-directory-path=/run/tsha-nfs/exports\n`,
      );
    const at = (line: string) => machine.journal.findIndex((entry) => entry.startsWith(line));
    expect(at('run ln -sfn')).toBeLessThan(at('run systemctl start'));
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(machine.links.has(link)).toBe(false);
    expect([...machine.files.keys()].filter((file) => file.startsWith('/run/tsha-nfs'))).toEqual([]);
  });

  test('the lock file that stays there exists before anything is exported', async () => {
    const machine = await started();
    expect(machine.disk.has('/nfsdata/export-lock')).toBe(true);
  });

  test.each(['mountd', 'exportd'])('stays where the administrator put it in [%s]', async (section) => {
    const machine = new NfsMachine(shared);
    machine.files.set('/etc/nfs.conf.d/ours.conf', `[${section}]\nstate-directory-path=/srv/exports\n`);
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.files.get('/run/tsha-nfs/nfs.conf')).not.toContain('state-directory-path');
  });

  test('nfsserver#96: a kernel with SELinux where nobody uses it changes nothing', async () => {
    const machine = new NfsMachine(shared);
    machine.files.set('/sys/fs/selinux/enforce', '0');
    expect((await run(machine, 'start')).code).toBe(0);
  });

  test('nfsserver#95: gets the label of the state directory under SELinux, as do the files made there', async () => {
    const machine = new NfsMachine(shared).on('restorecon', () => '').on('chcon', () => '');
    machine.files.set('/sys/fs/selinux/enforce', '1');
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.ran).toContain('chcon -R --reference /var/lib/nfs -- /run/tsha-nfs/exports');
    expect(machine.ran.filter((line) => /^restorecon -R .*\/var\/lib\/nfs( |$)/.test(line))).toEqual([]);
  });
});
