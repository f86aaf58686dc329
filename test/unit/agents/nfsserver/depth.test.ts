import { describe, expect, test } from 'vitest';
import type { NfsMachine } from '../../../fake/nfs-machine.ts';
import { recurring, run, shared, started } from '../../../fake/nfsserver-machine.ts';

const level = (depth: number) => ({ ...shared, ...recurring, OCF_CHECK_LEVEL: String(depth) });

/** Answers every question, except those that a pattern of the command line names. */
async function answering(env: NodeJS.ProcessEnv, silent?: RegExp): Promise<NfsMachine> {
  const machine = await started(env);
  machine.on('rpcinfo', (args, { timeoutMs }) => {
    if (!silent?.test(args.join(' '))) return 'program 100003 version 4 ready and waiting\n';
    machine.clock += timeoutMs;
    return { code: 137, hung: 'pid 77 in state S after 5 s' };
  });
  machine.files.set('/proc/net/fib_trie', '  |-- 10.0.0.20\n     /32 host LOCAL\n');
  return machine;
}

const asked = (machine: NfsMachine) => machine.ran.filter((line) => line.startsWith('rpcinfo'));

describe('check levels', () => {
  test('0 asks nobody', async () => {
    const machine = await answering(level(0));
    expect((await run(machine, 'monitor')).code).toBe(0);
    expect(asked(machine)).toEqual([]);
  });

  test('10 asks nfsd, mountd and statd on this machine', async () => {
    const machine = await answering({ ...level(10), OCF_RESKEY_nfs_ip: '10.0.0.20' });
    expect((await run(machine, 'monitor')).code).toBe(0);
    expect(asked(machine)).toEqual([
      'rpcinfo -T tcp -a 127.0.0.1.8.1 100003 4',
      'rpcinfo -T tcp -a 127.0.0.1.8.1 100003 3',
      'rpcinfo -T tcp 127.0.0.1 100005 3',
      'rpcinfo -T tcp 127.0.0.1 100024 1',
    ]);
  });

  test('with NFSv4 only neither rpcbind nor NFSv3 is asked for', async () => {
    const machine = await answering({ ...level(10), OCF_RESKEY_nfsv4_only: 'true' });
    expect((await run(machine, 'monitor')).code).toBe(0);
    expect(asked(machine)).toEqual(['rpcinfo -T tcp -a 127.0.0.1.8.1 100003 4']);
  });

  test('20 asks through every address of the service that is here', async () => {
    const machine = await answering({
      ...level(20),
      OCF_RESKEY_nfs_ip: '10.0.0.20,10.0.0.99,2001:db8::14',
      OCF_RESKEY_nfsv4_only: 'true',
    });
    machine.files.set('/proc/net/if_inet6', '20010db8000000000000000000000014 02 40 00 80 eth0\n');
    expect((await run(machine, 'monitor')).code).toBe(0);
    expect(asked(machine)).toEqual([
      'rpcinfo -T tcp -a 127.0.0.1.8.1 100003 4',
      'rpcinfo -T tcp -a 10.0.0.20.8.1 100003 4',
      'rpcinfo -T tcp6 -a 2001:db8::14.8.1 100003 4',
    ]);
  });

  test.each<[string, RegExp, RegExp]>([
    ['nfsd', /100003 4/, /nfsd \(NFSv4\) does not answer on 127.0.0.1: within 5 s/],
    ['rpc.mountd', /100005/, /rpc.mountd does not answer/],
    ['nfsserver#33: rpc.statd', /100024/, /rpc.statd does not answer/],
  ])('%s runs, but is silent: it is named, in bounded time', async (_who, silent, reason) => {
    const machine = await answering(level(10), silent);
    const since = machine.clock;
    const result = await run(machine, 'monitor');
    expect(result.code).toBe(1);
    expect(result.reason).toMatch(reason);
    expect(machine.clock - since).toBeLessThan(6000);
  });

  const at = '-a 127.0.0.1.8.1 100003';
  test.each<[string, NodeJS.ProcessEnv, string, readonly string[], number?]>([
    ['no TCP, by arguments', { OCF_RESKEY_nfsd_args: '-T -u' }, '', [`udp ${at} 3`]],
    ['no TCP, by nfs.conf', {}, 'tcp=n\nudp=y\n', [`udp ${at} 3`]],
    ['both', {}, 'udp=y\n', [`tcp ${at} 4`, `tcp ${at} 3`]],
    ['RDMA alone', {}, 'tcp=n\nrdma=y\n', [], 1],
    ['NFSv4 alone, by UDP', { OCF_RESKEY_nfsv4_only: 'true' }, 'tcp=n\nudp=y\n', [], 1],
    ['no NFSv4', {}, 'vers4=n\n', [`tcp ${at} 3`]],
    ['no minor version', {}, 'vers4.0=n\nvers4.1=n\nvers4.2=n\n', [`tcp ${at} 3`]],
    ['no minor version, by arguments', { OCF_RESKEY_nfsd_args: '-N 4.0 -N 4.1 -N 4.2' }, '', [`tcp ${at} 3`]],
    ['one minor version', {}, 'vers4.0=n\nvers4.2=n\n', [`tcp ${at} 4`, `tcp ${at} 3`]],
  ])('a server with %s is asked what it answers', async (_what, env, conf, expected, count = 0) => {
    const machine = await answering({ ...level(10), ...env });
    machine.files.set('/etc/nfs.conf', `[nfsd]\n${conf}`);
    expect((await run(machine, 'monitor')).code).toBe(0);
    const nfsds = asked(machine).filter((line) => line.includes('100003'));
    expect(nfsds).toEqual(expected.map((line) => `rpcinfo -T ${line}`));
    expect(machine.warnings.filter((line) => line.includes('nfsd was not asked'))).toHaveLength(count);
  });

  test('20 does so through the addresses, too', async () => {
    const machine = await answering({
      ...level(20),
      OCF_RESKEY_nfs_ip: '10.0.0.20,2001:db8::14',
      OCF_RESKEY_nfsd_args: '-T -u',
    });
    machine.files.set('/proc/net/if_inet6', '20010db8000000000000000000000014 02 40 00 80 eth0\n');
    expect((await run(machine, 'monitor')).code).toBe(0);
    expect(asked(machine).slice(0, 3)).toEqual([
      `rpcinfo -T udp ${at} 3`,
      'rpcinfo -T udp -a 10.0.0.20.8.1 100003 3',
      'rpcinfo -T udp6 -a 2001:db8::14.8.1 100003 3',
    ]);
  });

  test("the administrator's port and address of nfsd are where it is asked", async () => {
    const machine = await answering({ ...level(10), OCF_RESKEY_nfsv4_only: 'true' });
    machine.files.set('/etc/nfs.conf', '[nfsd]\nport=20490\nhost=10.0.0.20, storage.example.com\n');
    expect((await run(machine, 'monitor')).code).toBe(0);
    expect(asked(machine)).toEqual(['rpcinfo -T tcp -a 10.0.0.20.80.10 100003 4']);
  });

  test.each([
    [
      'is known',
      '10.0.0.20 STREAM storage\n10.0.0.20 DGRAM\n',
      ['rpcinfo -T tcp -a 10.0.0.20.8.1 100003 4'],
      0,
    ],
    ['is not found out', '', [], 1],
  ])(
    'the name at which nfsd listens %s: never asked at 127.0.0.1, where nobody answers',
    async (_what, said, expected, count) => {
      const machine = await answering({ ...level(10), OCF_RESKEY_nfsv4_only: 'true' });
      machine.on('getent', () => said);
      machine.files.set('/etc/nfs.conf', '[nfsd]\nhost=storage.example.com\n');
      expect((await run(machine, 'monitor')).code).toBe(0);
      expect(asked(machine)).toEqual(expected);
      expect(machine.warnings.filter((line) => line.includes('storage.example.com'))).toHaveLength(count);
    },
  );

  test('without rpcinfo a level that was asked for cannot be reached', async () => {
    const machine = await started(level(10));
    machine.on('rpcinfo', () => ({ code: 127, missing: true }));
    expect((await run(machine, 'monitor')).reason).toContain('rpcinfo is not installed');
  });
});
