import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { agentUnderTest } from '../agent-under-test.ts';
import { addresses, type Params, type Sandbox, sandbox } from './sandbox.ts';

// Locks are not needed for the truth that counts here: what the client's statd says it received, and from where.

let box: Sandbox;
let agent = '';

beforeAll(async () => {
  agent = `${process.execPath} ${await agentUnderTest('nfsnotify')}`;
  box = await sandbox();
});
afterAll(() => box.destroy());

const call = (action: string, params: Params) => box.call(agent, action, params);

/** The process in the background that the agent remembers, by its number in the server's namespace. */
async function sender(): Promise<{ readonly pid: number; readonly startTime: number } | undefined> {
  return JSON.parse(await box.onServer('cat /run/agents/tsha/nfsnotify-nfs-notify.json')).facts.sender;
}

/** Fields 3 and 22 of /proc/PID/stat, as far behind the name: a process by what tells it from a later one of its number. */
async function isThere({ pid, startTime }: { readonly pid: number; readonly startTime: number }) {
  const fields = (await box.onServer(`cat /proc/${pid}/stat`)).replace(/^.*\) /, '').split(' ');
  return fields[0] !== 'Z' && Number(fields[19]) === startTime;
}

describe('nfsnotify with a real rpcbind and rpc.statd on either side', () => {
  const source = { source_host: addresses.server };

  test('the client hears from the address of the service, which needs no host name', async () => {
    expect((await call('monitor', source)).code).toBe(7);
    await box.waits('client.example.com', addresses.client);
    expect(await call('start', source)).toMatchObject({ code: 0 });
    expect(await box.received(1)).toEqual([expect.stringMatching(/from 192\.0\.2\.20, state: \d*[13579]$/)]);
    expect(await box.waiting()).toEqual([]);
    expect((await call('monitor', source)).code).toBe(0);
    expect((await call('start', source)).code).toBe(0);
    expect(await box.received(1)).toHaveLength(1);
    expect((await call('stop', source)).code).toBe(0);
    expect((await call('monitor', source)).code).toBe(7);
  });

  test('a client that is away is told again by a process that stop ends, and that holds no file of the state directory', async () => {
    await box.waits('away', '192.0.2.77');
    await box.waits('here', addresses.client);
    expect((await call('start', source)).code).toBe(0);
    expect(await box.waiting()).toEqual(['away']);
    const left = await sender();
    if (!left) throw new Error('nobody was left to tell the client that is away');
    expect(await isThere(left)).toBe(true);
    const what = await box.onServer(`tr '\\0' ' ' < /proc/${left.pid}/cmdline`);
    expect(what).toContain('reload');
    const files = await box.onServer(`ls -l /proc/${left.pid}/cwd /proc/${left.pid}/fd`);
    expect(files).not.toContain('/var/lib/nfs');
    expect((await call('stop', source)).code).toBe(0);
    expect(await isThere(left)).toBe(false);
    const states = (await box.received(2)).map((line) => Number(line.split(' ').at(-1)));
    expect(states[1]).toBeGreaterThan(states[0] ?? Number.POSITIVE_INFINITY);
    await box.onServer('rm /var/lib/nfs/sm.bak/away');
  });

  test('an address that is not here is named, and not remembered as notified', async () => {
    await box.waits('here', addresses.client);
    const result = await call('start', { source_host: '192.0.2.99' });
    expect(result).toMatchObject({
      code: 1,
      reason: expect.stringContaining('192.0.2.99 is not an address'),
    });
    expect((await call('monitor', { source_host: '192.0.2.99' })).code).toBe(7);
    expect(await box.waiting()).toEqual(['here']);
    expect((await call('stop', source)).code).toBe(0);
  });

  test('N3: a name whose first address is elsewhere: the client hears from the one that is here', async () => {
    await box.onServer(
      'cat > /etc/hosts <<.\n127.0.0.1 localhost\nfd00::99 nfs.example.com\n192.0.2.20 nfs.example.com\n.',
    );
    await box.waits('here', addresses.client);
    expect(await call('start', { source_host: 'nfs.example.com' })).toMatchObject({ code: 0 });
    expect(await box.waiting()).toEqual([]);
    expect((await box.received(3)).at(-1)).toContain('from 192.0.2.20');
    expect((await call('stop', source)).code).toBe(0);
  });

  test('when rpc.statd ends, the monitor fails and names it', async () => {
    expect((await call('start', source)).code).toBe(0);
    await box.onServer(
      'read pid < /run/rpc.statd.pid; kill $pid; while [ -e /proc/$pid/exe ]; do sleep 0.05; done',
    );
    expect(await call('monitor', source)).toMatchObject({
      code: 1,
      reason: expect.stringMatching(/rpc.statd \(pid \d+\)/),
    });
    expect(await call('start', source)).toMatchObject({
      code: 1,
      reason: expect.stringContaining('not running'),
    });
  });
});
