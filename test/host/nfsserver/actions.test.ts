import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type NfsSandbox, openNfsSandbox } from './sandbox.ts';

let machine: NfsSandbox;
beforeAll(async () => {
  machine = await openNfsSandbox();
});
afterAll(() => machine.close());

const recurring = { CRM_meta_interval: 10_000 };
const shared = () => ({ nfs_shared_infodir: `${machine.disk}/info`, nfs_no_notify: 'true' });
const mounted = () => machine.sh('findmnt -rno TARGET | grep ^/var/lib/nfs');
const daemons = () =>
  machine.sh('ps -eo comm= | grep -xE "rpcbind|rpc.statd|rpc.mountd|nfsdcld|rpc.idmapd" | sort');

describe('calls', () => {
  test('nfsserver#10: usage and help', async () => {
    for (const action of ['usage', 'help']) expect((await machine.ours(action)).code).toBe(0);
  });

  test('nfsserver#11: no action is answered with the usage', async () => {
    expect(await machine.ours('')).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('usage: nfsserver {'),
    });
  });
});

describe('a server without systemd, with real daemons', () => {
  test('nfsserver#41,45,47,91: start, from an empty disk', async () => {
    expect((await machine.ours('monitor', shared())).code).toBe(7);
    const answer = await machine.ours('start', {
      ...shared(),
      nfs_server_scope: 'bank',
      nfs_lease_time: 15,
      nfs_grace_time: 20,
    });
    expect(answer).toMatchObject({ code: 0, reason: '' });
    expect(await daemons()).toBe('nfsdcld\nrpc.idmapd\nrpc.mountd\nrpc.statd\nrpcbind');
    expect(await machine.sh('cat /run/scope-of-nfsd; hostname')).toBe('bank\nnode1');
    expect(await machine.sh('cd /proc/fs/nfsd; cat nfsv4leasetime nfsv4gracetime')).toBe('15\n20');
    expect(await machine.sh('stat -c "%U %G %a" /var/lib/nfs/sm /var/lib/nfs/sm.bak')).toBe(
      'statd nogroup 755\nstatd nogroup 755',
    );
    const [state, info] = await Promise.all(
      ['/var/lib/nfs', `${machine.disk}/info`].map((dir) => machine.sh(`stat -c %d:%i ${dir}`)),
    );
    expect(state).toBe(info);
    expect(await machine.sh('stat -L -c %i /proc/$(pidof rpc.statd)/cwd')).toBe(info?.split(':')[1]);
    expect((await machine.ours('monitor', { ...shared(), ...recurring })).code).toBe(0);
  });

  test.each([
    ['an init script', 'rmdir /run/systemd/system /run/systemd 2> /dev/null; true'],
    ['systemd', 'mkdir -p /run/systemd/system'],
  ])('a steady monitor executes nothing where there is %s', async (_manager, prepare) => {
    await machine.sh(prepare);
    expect((await machine.ours('monitor', { ...shared(), ...recurring })).code).toBe(0);
    expect(await machine.traced('monitor', { ...shared(), ...recurring })).toEqual([]);
    await machine.sh('rm -rf /run/systemd');
  });

  test('nfsserver#33: a silent rpc.mountd or rpc.statd is found at depth 10, in bounded time', async () => {
    const nfsd = `require('net').createServer((socket) => socket.on('data', (call) => {
      const reply = Buffer.alloc(28); reply.writeUInt32BE(0x80000018); call.copy(reply, 4, 4, 8); reply.writeUInt32BE(1, 8);
      socket.write(reply); })).listen(2049)`;
    await machine.sh(
      `'${process.execPath}' -e "${nfsd}" > /dev/null 2>&1 & until ss -Hltn sport = :2049 | grep -q .; do sleep 0.05; done`,
    );
    const deep = { ...shared(), ...recurring, OCF_CHECK_LEVEL: 10 };
    expect(await machine.ours('monitor', deep)).toMatchObject({ code: 0, reason: '' });
    for (const daemon of ['rpc.mountd', 'rpc.statd']) {
      await machine.sh(`kill -STOP $(pidof ${daemon})`);
      const answer = await machine.ours('monitor', deep);
      expect(answer).toMatchObject({ code: 1, reason: expect.stringContaining(`${daemon} does not answer`) });
      await machine.sh(`kill -CONT $(pidof ${daemon})`);
    }
  });

  test('nfsserver#42: a dead rpc.statd', async () => {
    await machine.sh('pid=$(pidof rpc.statd); kill $pid; while [ -e /proc/$pid/exe ]; do sleep 0.05; done');
    const answer = await machine.ours('monitor', { ...shared(), ...recurring });
    expect(answer).toMatchObject({ code: 1, reason: expect.stringContaining('rpc.statd') });
  });

  test('nfsserver#56,57: stop names the shell that sits in the state directory, and succeeds once it is gone', async () => {
    await machine.sh('cd /var/lib/nfs/sm; sleep 1000 > /dev/null 2>&1 & echo $! > /run/sitter');
    const pid = await machine.sh('cat /run/sitter');
    const answer = await machine.ours('stop', { ...shared(), meta_timeout: 20_000 });
    expect(answer).toMatchObject({
      code: 1,
      reason: `/var/lib/nfs is kept busy by sleep (pid ${pid}, cwd /var/lib/nfs/sm)`,
    });
    await machine.sh(`kill ${pid}`);
    expect(await machine.ours('stop', shared())).toMatchObject({ code: 0, reason: '' });
    expect(await mounted()).toBe('');
    expect(await daemons()).toBe('rpcbind');
    expect(
      await machine.sh(
        'cd /proc/fs/nfsd; cat nfsv4leasetime nfsv4gracetime; ls /etc/nfs.conf.d /run/tsha-nfs 2> /dev/null',
      ),
    ).toBe('90\n90\n/etc/nfs.conf.d:');
    expect((await machine.ours('monitor', shared())).code).toBe(7);
  });

  test('nfsserver#58: a daemon of nfs-utils that holds the state directory does not hold up the stop', async () => {
    expect((await machine.ours('start', shared())).code).toBe(0);
    await machine.sh(
      `cp /usr/bin/sleep ${machine.programs}/fsidd; cd /var/lib/nfs; ${machine.programs}/fsidd 1000 > /dev/null 2>&1 &`,
    );
    expect(await machine.ours('stop', shared())).toMatchObject({ code: 0, reason: '' });
    expect(await mounted()).toBe('');
  });
});

describe("a user's process with a helper's name", () => {
  /** As nobody, beside the server, until it is killed: its number. */
  const imposter = async (name: string, dir = '/') => {
    await machine.sh(
      `cp /usr/bin/sleep /run/${name}; cd ${dir}; setpriv --reuid 65534 --regid 65534 --clear-groups /run/${name} 1000 > /dev/null 2>&1 & echo $! > /run/imposter`,
    );
    return machine.sh('cat /run/imposter');
  };

  const endReal = (name: string, imposter: string) =>
    machine.sh(
      `for one in $(pidof ${name}); do [ $one != ${imposter} ] && kill $one && while [ -e /proc/$one/exe ]; do sleep 0.05; done; done`,
    );

  test('S9: each helper is missed all the same', async () => {
    expect((await machine.ours('start', shared())).code).toBe(0);
    for (const name of ['rpc.statd', 'rpc.mountd', 'nfsdcld', 'rpc.idmapd']) {
      const pid = await imposter(name);
      await endReal(name, pid);
      const answer = await machine.ours('monitor', { ...shared(), ...recurring });
      expect(answer).toMatchObject({ code: 1, reason: expect.stringContaining(`${name} (`) });
      expect((await machine.ours('stop', shared())).code).toBe(0);
      // this sandbox's init script itself ends whatever is called rpc.mountd
      if (name !== 'rpc.mountd') expect(await machine.sh(`cat /proc/${pid}/comm`)).toBe(name);
      await machine.sh(`kill ${pid} 2> /dev/null`);
      expect((await machine.ours('start', shared())).code).toBe(0);
    }
  });

  test('S8: rpc.statd in a folder of his below the state directory: what is there is none of its records', async () => {
    await machine.sh(
      'umask 077; mkdir /run/victim; cd /var/lib/nfs; mkdir -p his/sm; echo evil > his/sm/evil; ln -s /run/victim his/sm.bak; chown -R nobody his',
    );
    const pid = await imposter('rpc.statd', '/var/lib/nfs/his');
    await endReal('rpc.statd', pid);
    await machine.ours('stop', { ...shared(), CRM_meta_timeout: 20_000 });
    expect(await machine.sh('ls -A /run/victim')).toBe('');
    await machine.sh(`kill ${pid} 2> /dev/null; while [ -e /proc/${pid}/exe ]; do sleep 0.05; done`);
    expect((await machine.ours('stop', shared())).code).toBe(0);
  });
});

describe('N6: the shared directory below a running server', () => {
  test.each([
    ['is renamed', 'mv "$1/info" "$1/elsewhere"', '/elsewhere'],
    ['is removed', 'rm -r "$1/info"', '/info//deleted'],
  ])('%s: the monitor says what is mounted now, and stop unbinds it', async (_what, harm, root) => {
    expect((await machine.ours('start', shared())).code).toBe(0);
    await machine.sh(`set -- '${machine.disk}'; ${harm}`);
    expect(await machine.ours('monitor', { ...shared(), ...recurring })).toMatchObject({
      code: 1,
      reason: expect.stringContaining(`${root} of disk is on /var/lib/nfs, not ${machine.disk}/info`),
    });
    expect(await machine.ours('stop', shared())).toMatchObject({ code: 0, reason: '' });
    expect(await mounted()).toBe('');
    expect((await machine.ours('monitor', shared())).code).toBe(7);
  });
});

describe('N9: rpc.statd and the program that keeps its records', () => {
  /** What lockd says to statd: procedure 2 monitors a client, 3 forgets it; from a privileged port of this machine. */
  const lockd = (procedure: 2 | 3, client: string) => `
    const string = (text) => Buffer.concat([word(text.length), Buffer.from(text), Buffer.alloc((4 - text.length % 4) % 4)]);
    const word = (number) => { const bytes = Buffer.alloc(4); bytes.writeUInt32BE(number); return bytes; };
    const body = [string('${client}'), string('node1'), ...[100021, 3, 16].map(word)];
    if (${procedure} === 2) body.push(Buffer.alloc(16));
    const call = Buffer.concat([7, 0, 2, 100024, 1, ${procedure}, 0, 0, 0, 0].map(word).concat(body));
    const socket = require('dgram').createSocket('udp4');
    socket.on('message', (answer) => { console.log('answer', answer.readUInt32BE(24)); socket.close(); });
    socket.bind(722, '127.0.0.1', () => socket.send(call, Number(process.argv[1]), '127.0.0.1'));`;
  const say = async (procedure: 2 | 3, client: string) =>
    machine.sh(
      `port=$(rpcinfo -p | awk '$1 == 100024 && $3 == "udp" { print $4; exit }')
timeout 5 '${process.execPath}' -e "${lockd(procedure, client)}" $port`.replace(/ {2,}/g, ' '),
    );

  test('a client that is to be forgotten is found in sm.bak afterwards', async () => {
    expect((await machine.ours('start', shared())).code).toBe(0);
    expect(await say(2, '127.0.0.9')).toBe('answer 0');
    const records = (list: string) => machine.sh(`ls /var/lib/nfs/${list}`);
    const name = await records('sm');
    expect(name).not.toBe('');
    expect(await records('sm.bak')).toBe('');
    await say(3, '127.0.0.9');
    expect(await records('sm')).toBe('');
    expect(await records('sm.bak')).toBe(name); // this kernel has no nfsd: none of its threads runs
    expect(await machine.sh(`cat /var/lib/nfs/sm.bak/${name}`)).toContain(' 127.0.0.9 node1');
    expect(await machine.sh(`stat -c %U /var/lib/nfs/sm.bak/${name}`)).toBe('statd');
    expect((await machine.ours('stop', shared())).code).toBe(0);
  });
});

describe('what the stock agent does wrong, in the same place', () => {
  const own = 'mount -t tmpfs theirs /var/lib/nfs; mkdir /var/lib/nfs/sm /var/lib/nfs/sm.bak';

  test.each(['stock', 'ours'] as const)(
    "nfsserver#53: the administrator's filesystem on /var/lib/nfs: %s",
    async (whose) => {
      await machine.sh(own);
      const before = await machine.sh('findmnt -rno SOURCE /var/lib/nfs');
      expect((await machine[whose]('start', { nfs_no_notify: 'true' })).code).toBe(0);
      expect((await machine[whose]('stop', { nfs_no_notify: 'true' })).code).toBe(0);
      const after = await machine.sh('findmnt -rno SOURCE /var/lib/nfs');
      expect({ stays: after === before }).toEqual({ stays: whose === 'ours' });
      await machine.sh(
        'umount theirs 2> /dev/null; pkill -x "rpc.statd|rpc.mountd"; echo 0 > /proc/fs/nfsd/threads',
      );
    },
  );

  test("nfsserver#54: our start after the stock agent's stop has the clients that were on record", async () => {
    // the stock agent starts no rpcbind here
    for (const action of ['start', 'stop']) expect((await machine.ours(action, shared())).code).toBe(0);
    expect((await machine.stock('start', shared())).code).toBe(0);
    await machine.sh('rm -f /var/lib/nfs/sm.bak/*'); // of the tests before
    await machine.sh(
      'echo "0100007f 000186b5 00000003 00000010 c 10.0.0.51 node1" > /var/lib/nfs/sm/10.0.0.51',
    );
    await machine.stock('stop', shared()); // whatever comes of its unmount
    await machine.sh(`rm -f ${machine.disk}/info/sm/*`); // as lockd has statd do
    expect((await machine.ours('stop', shared())).code).toBe(0);
    expect((await machine.ours('start', shared())).code).toBe(0);
    expect(await machine.sh('ls /var/lib/nfs/sm.bak')).toBe('10.0.0.51');
    expect(
      await machine.sh('find /var/lib/nfs/sm.ha -path "*sm*/10.*"; stat -c %U /var/lib/nfs/sm.bak/*'),
    ).toBe('statd');
    expect((await machine.ours('stop', shared())).code).toBe(0);
  });

  test.each(['stock', 'ours'] as const)(
    'nfsserver#17: stop of a clone with a shared directory: %s',
    async (whose) => {
      const answer = await machine[whose]('stop', { ...shared(), meta_clone: 0 });
      expect(answer.code).toBe(whose === 'ours' ? 0 : 6);
    },
  );
});
