import { describe, expect, test } from 'vitest';
import { nfsnotify } from '../../../../agents/nfsnotify/agent.ts';
import { parseTcp } from '../../../../lib/host/net/tcp.ts';
import { type Result, runAction } from '../../../../lib/ocf/run.ts';
import { NfsMachine } from '../../../fake/nfs-machine.ts';
import { silentLog } from '../../../fake/story.ts';

const run = (machine: NfsMachine, action: string): Promise<Result> =>
  runAction(nfsnotify, action, machine, silentLog);

const head =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const row = (local: string, remote: string, state = '01') =>
  `   0: ${local} ${remote} ${state} 00000000:00000000 00:00000000 00000000     0        0 17 1\n`;

describe('/proc/net/tcp', () => {
  test.each([
    ['IPv4', row('1400000A:0801', '3300000A:03E7'), '10.0.0.20:2049', '10.0.0.51:999'],
    [
      'IPv6',
      row('B80D0120000000000000000014000000:0801', 'B80D0120000000000000000051000000:03E7'),
      '2001:db8::14:2049',
      '2001:db8::51:999',
    ],
    [
      'IPv4 in IPv6',
      row('0000000000000000FFFF00001400000A:0801', '0000000000000000FFFF00003300000A:03E7'),
      '10.0.0.20:2049',
      '10.0.0.51:999',
    ],
  ])('%s', (_, text, local, remote) => {
    const spelled = parseTcp(head + text, 'LE').map((connection) =>
      [connection.local, connection.remote].map(({ address, port }) => `${address}:${port}`),
    );
    expect(spelled).toEqual([[local, remote]]);
  });

  test.each([
    ['listening', row('00000000:0801', '00000000:0000', '0A')],
    ['ending', row('1400000A:0801', '3300000A:03E7', '08')],
    ['nothing', ''],
  ])('%s: no connection', (_, text) => {
    expect(parseTcp(head + text, 'LE')).toEqual([]);
  });

  test('a big-endian machine', () => {
    expect(parseTcp(row('0A000014:0801', '0A000033:03E7'), 'BE')).toEqual([
      { local: { address: '10.0.0.20', port: 2049 }, remote: { address: '10.0.0.51', port: 999 } },
    ]);
  });
});

const onDisk = '/nfsdata/tsha-connections';
const one = '10.0.0.20:2049 10.0.0.51:999\n';
const other = '10.0.0.20:2049 10.0.0.52:700\n';

/** A node whose clients have been notified. */
async function node(env: NodeJS.ProcessEnv = {}): Promise<NfsMachine> {
  const machine = new NfsMachine({
    OCF_RESOURCE_INSTANCE: 'nfs-notify',
    OCF_RESKEY_source_host: '10.0.0.20',
    OCF_RESKEY_CRM_meta_interval: '30000',
    ...env,
  });
  machine.bindBySomeone('/').startUnit('rpcbind.service').startUnit('nfs-server.service');
  machine.disk.set('/nfsdata/sm/', '').set('/nfsdata/sm.bak/', '');
  machine.local.add('10.0.0.20');
  machine.running = [{ name: 'eth0', address: '10.0.0.20', prefix: 24 }];
  return machine;
}

const connected = (machine: NfsMachine, ...rows: string[]) =>
  machine.files.set('/proc/net/tcp', head + rows.join(''));
const fromOne = row('1400000A:0801', '3300000A:03E7');
const fromOther = row('1400000A:0801', '3400000A:02BC');
const elsewhere = row('1500000A:0801', '3300000A:03E6');
const ssh = row('1400000A:0016', '3300000A:03E5');

describe('the list of connected clients', () => {
  test('is kept on the shared disk by the monitor, and written again only when it changes', async () => {
    const machine = await node();
    await run(machine, 'start');
    connected(machine, fromOne, elsewhere, ssh);
    await run(machine, 'monitor');
    expect(machine.disk.get(onDisk)).toBe(one);
    const before = machine.ran.length;
    await run(machine, 'monitor');
    expect(machine.ran.length).toBe(before);
    connected(machine, fromOther, fromOne);
    await run(machine, 'stop');
    expect(machine.disk.get(onDisk)).toBe(one + other);
  });

  test('is looked at only when somebody has come', async () => {
    const machine = await node();
    const accepted = (count: number) =>
      machine.files.set(
        '/proc/net/snmp',
        `Ip: Forwarding\nIp: 2\nTcp: RtoMax PassiveOpens\nTcp: 9 ${count}\n`,
      );
    const told = async (...rows: string[]) => {
      connected(machine, ...rows);
      await run(machine, 'monitor');
      return machine.disk.get(onDisk);
    };
    await run(machine, 'start');
    accepted(1);
    expect(await told()).toBeUndefined();
    expect(await told(fromOne)).toBeUndefined(); // cannot be: what was connected later was accepted later
    accepted(2);
    expect(await told(fromOne)).toBe(one);
    expect(await told(fromOne, fromOther)).toBe(one);
    accepted(3);
    expect(await told(fromOther)).toBe(other);
    await run(machine, 'stop');
    machine.disk.set(onDisk, one);
    await run(machine, 'start');
    expect(await told(fromOther)).toBe(other);
  });

  test.each([
    ['no client is connected any more', { disk: one, now: [] }],
    ['a probe', { disk: one, now: [fromOther], env: { OCF_RESKEY_CRM_meta_interval: '0' } }],
  ])(
    'stays as it is: %s',
    async (_, { disk, now, env = {} }: { disk: string; now: string[]; env?: NodeJS.ProcessEnv }) => {
      const machine = await node(env);
      await run(machine, 'start');
      machine.disk.set(onDisk, disk);
      connected(machine, ...now);
      await run(machine, 'monitor');
      expect(machine.disk.get(onDisk)).toBe(disk);
    },
  );

  test('is written again by the next start, whatever the other node has made of it', async () => {
    const machine = await node();
    connected(machine, fromOne);
    await run(machine, 'start');
    await run(machine, 'monitor');
    await run(machine, 'stop');
    machine.disk.set(onDisk, other);
    await run(machine, 'start');
    await run(machine, 'monitor');
    expect(machine.disk.get(onDisk)).toBe(one);
  });

  test.each(['2001:DB8:0:0::14', '[2001:0db8::0014]', '2001:db8::14', ' 2001:db8::14 ,10.0.0.20'])(
    'of an IPv6 address in any spelling: %s',
    async (source_host) => {
      const machine = await node({ OCF_RESKEY_source_host: source_host });
      machine.local.add('2001:db8::14').add('2001:DB8:0:0::14').add('2001:0db8::0014');
      await run(machine, 'start');
      const mine = 'B80D0120000000000000000014000000:0801';
      machine.files.set('/proc/net/tcp6', head + row(mine, 'B80D0120000000000000000051000000:03E7'));
      expect((await run(machine, 'monitor')).code).toBe(0);
      expect(machine.disk.get(onDisk)).toBe('2001:db8::14:2049 2001:db8::51:999\n');
    },
  );

  test('of a host name: every address but loopback', async () => {
    const machine = await node({ OCF_RESKEY_source_host: 'nfs.example.com' });
    machine.on('getent', () => '10.0.0.20 STREAM nfs.example.com\n');
    await run(machine, 'start');
    connected(machine, elsewhere, row('0100007F:0801', '0100007F:03E7'));
    await run(machine, 'monitor');
    expect(machine.disk.get(onDisk)).toBe('10.0.0.21:2049 10.0.0.51:998\n');
  });

  test('a disk that takes nothing fails no monitor', async () => {
    const machine = await node();
    await run(machine, 'start');
    connected(machine, fromOne);
    machine.on('dd', () => ({ code: 1, stdout: '', stderr: 'dd: No space left on device' }));
    expect((await run(machine, 'monitor')).code).toBe(0);
  });
});

describe('start makes the clients of the last server connect anew', () => {
  const tickled = async (machine: NfsMachine): Promise<string | undefined> => {
    let input: string | undefined;
    machine.on('/usr/libexec/heartbeat/tickle_tcp', (_, command) => {
      input = String(command.input);
      return '';
    });
    expect((await run(machine, 'start')).code).toBe(0);
    return input;
  };

  test.each([
    ['all of them', one + other, one + other],
    ['an address that is not here', `${one}10.0.0.21:2049 10.0.0.51:998\n`, one],
    ['another port', `${one}10.0.0.20:22 10.0.0.51:998\n`, one],
    ['half a line', `${one}10.0.0.20:2049 10.0.`, one],
    ['words that a client wrote', `-n 9\n10.0.0.20:2049 $(x):1\n${one}`, one],
    ['no list', undefined, undefined],
    ['an empty list', '', undefined],
  ])('%s', async (_, list, sent) => {
    const machine = await node();
    if (list !== undefined) machine.disk.set(onDisk, list);
    expect(await tickled(machine)).toBe(sent);
  });

  test('without the program, or when it fails, start succeeds', async () => {
    for (const answer of [{ code: 1, stdout: '', stderr: 'no raw socket' }, undefined]) {
      const machine = await node();
      machine.disk.set(onDisk, one);
      if (answer) machine.on('/usr/libexec/heartbeat/tickle_tcp', () => answer);
      expect((await run(machine, 'start')).code).toBe(0);
    }
  });
});
