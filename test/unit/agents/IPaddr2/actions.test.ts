import { describe, expect, test } from 'vitest';
import { Nft } from './nft.ts';
import { Router } from './router.ts';

// What the real kernel does not do on demand; everything else is in test/host.

const ip = '192.168.144.2';
const v6 = '2001:db8::2';
const notifyFile = '/proc/sys/net/ipv6/conf/eth0/ndisc_notify';

describe('an answer that is none is not one without the address', () => {
  test.each([
    ['nothing', ''],
    ['no JSON', 'Object "-j" is unknown, try "ip help".\n'],
    ['cut short', '[{"ifindex":1,"ifname":"lo","flags":["UP"]},{"ifindex":2,"ifna'],
    ['no list', '{}'],
    ['a word for an interface', '["lo"]'],
    ['an interface without flags', '[{"ifindex":1,"ifname":"lo","addr_info":[]}]'],
    [
      'an address without a length',
      '[{"ifindex":1,"ifname":"lo","flags":[],"addr_info":[{"family":"inet","local":"127.0.0.1"}]}]',
    ],
  ])('%s: monitor and stop 1, and what was said', async (_what, told) => {
    const machine = new Router({ ip });
    machine.held.push({ nic: 'eth0', ip, prefix: 24 });
    machine.told = told;
    for (const action of ['monitor', 'stop', 'start']) {
      const { code, reason } = await machine.act(action);
      expect([action, code, reason]).toEqual([
        action,
        1,
        expect.stringMatching(/ip -j address show answered with/),
      ]);
    }
    expect(machine.ips()).toEqual([ip]);
  });
});

describe('a list that the kernel cut short, of which ip says 0', () => {
  /** `ip address show` leaves the address out so many times. */
  function cutShort(times: number) {
    const machine = new Router({ ip });
    machine.held.push({ nic: 'eth0', ip, prefix: 24 });
    const answer = machine.handler('ip');
    let left = times;
    machine.on('ip', async (args, command) => {
      if (!args.includes('show') || left === 0) return answer(args, command);
      left -= 1;
      const { held } = machine;
      machine.held = held.slice(0, 2);
      const stdout = String(await answer(args, command));
      machine.held = held;
      return { stdout, stderr: 'Dump was interrupted and may be inconsistent.\n' };
    });
    return machine;
  }

  test.each([
    ['monitor', 0, [ip]],
    ['stop', 0, []],
  ])('%s asks again', async (action, code, left) => {
    const machine = cutShort(2);
    expect((await machine.act(action)).code).toBe(code);
    expect(machine.ips()).toEqual(left);
  });

  test('again and again: unknown', async () => {
    for (const action of ['monitor', 'stop'])
      expect(await cutShort(1e9).act(action)).toMatchObject({
        code: 1,
        reason: 'ip -j address show: what it lists does not stop changing',
      });
  });
});

describe('start takes back what it did', () => {
  test.each([
    ['the kernel refuses the address', { ip: v6 }, 'address add'],
    ['the look afterwards fails', { ip: v6 }, undefined],
  ])('%s', async (_name, params, failing) => {
    const machine = new Router(params);
    machine.failing = failing;
    machine.fresh = { tentative: true }; // for ever
    machine.files.set(notifyFile, '0\n');
    const { code, reason } = await machine.act('start');
    expect([code, reason]).toEqual([
      1,
      expect.stringMatching(failing ? /address add.*RTNETLINK/ : /does not end/),
    ]);
    expect(machine.ips()).toEqual([]);
    expect(machine.ran).toContain(`ip addrlabel del prefix ${v6}/128 label 99`);
    expect(machine.files.get(notifyFile)).toBe('0\n');
    expect(machine.journal.some((line) => line.startsWith('launch'))).toBe(false);
  });

  test('an address label that cannot be set is no reason to fail', async () => {
    const machine = new Router({ ip: v6 });
    machine.failing = 'addrlabel';
    expect((await machine.act('start')).code).toBe(0);
    expect(machine.ips()).toEqual([v6]);
  });
});

describe('the address is there, and does not serve', () => {
  const noLink = { operstate: 'DOWN' };
  const clone = { CRM_meta_globally_unique: 'true', CRM_meta_clone_max: '3', CRM_meta_clone: '0' };

  test.each([
    ['no link', {}, noLink, /has no link/],
    ['no link, IPv6', { ip: v6 }, noLink, /has no link/],
    ['another prefix', { cidr_netmask: '25' }, {}, /with prefix \/24, not \/25/],
    ['no link and another prefix', { cidr_netmask: '25' }, noLink, /with prefix \/24, not \/25/],
  ])(
    '%s: a probe 1, so that it is stopped here first; a monitor 7; stop removes it',
    async (_what, params, state, reason) => {
      const machine = new Router({ ip, ...params });
      const held = 'ip' in params ? params.ip : ip;
      machine.held.push({ nic: 'eth0', ip: held, prefix: held === v6 ? 64 : 24 });
      machine.state = state;
      expect(await machine.act('monitor')).toMatchObject({ code: 1, reason: expect.stringMatching(reason) });
      machine.env['OCF_RESKEY_CRM_meta_interval'] = '10000';
      expect(await machine.act('monitor')).toMatchObject({ code: 7, reason: expect.stringMatching(reason) });
      expect((await machine.act('stop')).code).toBe(0);
      expect(machine.ips()).toEqual([]);
    },
  );

  test('no link, and the address is not there: a probe 7', async () => {
    const machine = new Router({ ip, nic: 'eth0' });
    machine.state = noLink;
    expect((await machine.act('monitor')).code).toBe(7);
  });

  test.each([
    ['its share is taken', 1, 1],
    ['another share is taken', 2, 7],
  ])('no link, a Cluster-IP of which %s', async (_what, number, code) => {
    const nft = new Nft();
    const machine = new Router({ ip, ...clone, CRM_meta_clone: String(number - 1) }).on('nft', nft.answer);
    expect((await machine.act('start')).code).toBe(0);
    machine.state = noLink;
    machine.env['OCF_RESKEY_CRM_meta_clone'] = '0';
    expect((await machine.act('monitor')).code).toBe(code);
  });

  test.each([
    ['IPv4', ip, /^launch .*send_arp .*-r 5 eth0/],
    ['IPv6', v6, /^launch .*send_ua .*-c 5/],
  ])('a start that brings the link announces it, %s', async (_family, address, launched) => {
    const machine = new Router({ ip: address });
    for (const sender of ['send_arp', 'send_ua']) machine.on(`/usr/libexec/heartbeat/${sender}`, () => '');
    machine.files.set(notifyFile, '0\n');
    machine.held.push({ nic: 'eth0', ip: address, prefix: address === v6 ? 64 : 24 });
    machine.state = noLink;
    machine.onTick = () => {
      machine.state = {};
    };
    expect((await machine.act('start')).code).toBe(0);
    expect(machine.journal.filter((line) => line.startsWith('launch'))).toEqual([
      expect.stringMatching(launched),
    ]);
    const settings = machine.journal.filter((line) => line.includes('ndisc_notify'));
    expect(settings).toEqual(address === v6 ? [`poke ${notifyFile} 1`, `poke ${notifyFile} 0`] : []);
  });
});

describe('stop', () => {
  test('says so when the address stays', async () => {
    const machine = new Router({ ip });
    machine.held.push({ nic: 'eth0', ip, prefix: 24 });
    machine.failing = 'address delete';
    const { code, reason } = await machine.act('stop');
    expect([code, reason]).toEqual([1, `${ip} cannot be removed from eth0`]);
  });

  test('does not trust a look that hangs', async () => {
    const machine = new Router({ ip });
    machine.hanging = 'address show';
    expect((await machine.act('stop')).code).toBe(1);
  });

  test('a deletion that fails because somebody else was quicker is none', async () => {
    const machine = new Router({ ip });
    machine.held.push({ nic: 'eth0', ip, prefix: 24 });
    machine.onTick = () => {
      if (machine.ran.some((line) => line.includes('address show'))) machine.held = machine.held.slice(0, 2);
    };
    machine.failing = 'address delete';
    expect((await machine.act('stop')).code).toBe(0);
  });

  test('switches promote_secondaries on, and only then deletes', async () => {
    const machine = new Router({ ip: '10.0.0.2' });
    for (const one of ['10.0.0.2', '10.0.0.3']) machine.held.push({ nic: 'eth0', ip: one, prefix: 24 });
    const setting = '/proc/sys/net/ipv4/conf/eth0/promote_secondaries';
    machine.files.set(setting, '0\n');
    expect((await machine.act('stop')).code).toBe(0);
    const deeds = machine.journal.filter((line) => /promote|delete/.test(line));
    expect(deeds).toEqual([`poke ${setting} 1`, `run ip -f inet address delete 10.0.0.2/24 dev eth0`]);
    expect(machine.ips()).toEqual(['10.0.0.3']);
  });

  test('flush_routes', async () => {
    const machine = new Router({ ip, flush_routes: 'true' });
    machine.held.push({ nic: 'eth0', ip, prefix: 24 });
    expect((await machine.act('stop')).code).toBe(0);
    expect(machine.ran).toContain('ip -f inet route flush cache');
  });
});

describe('the announcer', () => {
  const sender = '/usr/libexec/heartbeat/send_arp';
  const stat = (startTime: number) => `9999 (send_arp) S 1 ${'0 '.repeat(17)}${startTime} 0`;

  test.each([
    ['send_arp', {}, [sender], 'ether', [/send_arp -i 200 -p \S+\.pid -r 5 eth0 192.168.144.2 auto/]],
    [
      'send_arp elsewhere',
      { send_arp_opts: '-A', arp_count: '3', arp_interval: '1000' },
      ['/usr/lib64/heartbeat/send_arp'],
      'ether',
      [/lib64\/heartbeat\/send_arp -A -i 1000 -p \S+ -r 3 eth0/],
    ],
    [
      'libnet arping',
      { arp_sender: 'libnet_arping' },
      ['arping'],
      'ether',
      [/^launch arping -q -U -c 5 -i eth0 -S (\S+) \1$/],
    ],
    [
      'iputils arping, both kinds',
      { arp_sender: 'iputils_arping' },
      ['arping'],
      'ether',
      [/arping -q -U -c 5 -I eth0/, /arping -q -A -c 5 -I eth0/],
    ],
    ['InfiniBand', {}, ['ipoibarping', sender], 'infiniband', [/ipoibarping -q -c 5 -U -I eth0/]],
    ['InfiniBand without its own', {}, [sender], 'infiniband', [/send_arp/]],
  ])('%s', async (_name, params, programs, linkType, launched) => {
    const machine = new Router({ ip, ...params });
    machine.linkType = linkType;
    for (const program of programs) machine.on(program, () => '');
    expect((await machine.act('start')).code).toBe(0);
    const launches = machine.journal.filter((line) => line.startsWith('launch'));
    expect(launches).toEqual(launched.map((pattern) => expect.stringMatching(pattern)));
  });

  test.each([
    ['InfiniBand', 'eth0', 'infiniband', {}, /ipoibarping -q -c 2 -U -I eth0/],
    ['a label of its own', 'web', 'ether', {}, /send_arp .* eth0 192\.168\.144\.2 auto/],
    [
      'a Cluster-IP, by the MAC address that all nodes listen to',
      'eth0',
      'ether',
      { CRM_meta_globally_unique: 'true', CRM_meta_clone_max: '2', CRM_meta_clone: '0' },
      /send_arp .* eth0 192\.168\.144\.2 511b55974e28/,
    ],
  ])('again at a monitor as at start: %s', async (_what, label, linkType, params, launched) => {
    const machine = new Router({ ip, ...params, arp_count_refresh: '2', CRM_meta_interval: '10000' });
    for (const program of ['ipoibarping', sender]) machine.on(program, () => '');
    machine.on('nft', new Nft().answer);
    machine.linkType = linkType;
    expect((await machine.act('start')).code).toBe(0);
    machine.running = [{ name: label, address: ip, prefix: 24 }];
    machine.journal.length = 0;
    expect((await machine.act('monitor')).code).toBe(0);
    expect(machine.journal.filter((line) => line.startsWith('launch'))).toEqual([
      expect.stringMatching(launched),
    ]);
  });

  test("again at a monitor only once start's have ended", async () => {
    const params = { arp_count_refresh: '1', CRM_meta_interval: '10000' };
    const machine = new Router({ ip, ...params }).on(sender, () => '');
    machine.process(9999, { stat: stat(500) });
    const launches = () => machine.journal.filter((line) => line.startsWith('launch')).length;
    for (const action of ['start', 'monitor', 'monitor']) expect((await machine.act(action)).code).toBe(0);
    expect([launches(), machine.journal.filter((line) => line.startsWith('signal'))]).toEqual([1, []]);
    machine.endProcess(9999);
    expect((await machine.act('monitor')).code).toBe(0);
    expect(launches()).toBe(2);
  });

  test('in the foreground: requests and replies at the same time', async () => {
    const machine = new Router({ ip, arp_bg: 'false', arp_sender: 'iputils_arping' });
    let [now, most] = [0, 0];
    machine.on('arping', async ([option]) => {
      if (option === '-V') return 'arping from iputils 20221126';
      now += 1;
      most = Math.max(most, now);
      await new Promise((resolve) => setImmediate(resolve));
      now -= 1;
      return '';
    });
    expect((await machine.act('start')).code).toBe(0);
    expect(most).toBe(2);
  });

  test('nothing that sends: the kernel is made to ask an address that nobody has', async () => {
    const machine = new Router({ ip });
    machine.files.set(
      '/proc/net/arp',
      'IP address HW type\n192.168.144.254 0x1 0x2 aa:bb:cc:dd:ee:ff * eth0\n',
    );
    expect((await machine.act('start')).code).toBe(0);
    expect(machine.journal).toContain(`datagram ${ip} 192.168.144.253 9`);
  });

  test('none for an address that was there already', async () => {
    const machine = new Router({ ip }).on(sender, () => '');
    machine.held.push({ nic: 'eth0', ip, prefix: 24 });
    expect((await machine.act('start')).code).toBe(0);
    expect(machine.journal.some((line) => /launch|datagram/.test(line))).toBe(false);
  });

  test.each([
    ['ended by stop at once, in the middle of its sleep', 500, ['signal SIGKILL 9999']],
    ['left alone when its pid is another process by now', 501, []],
  ])('%s', async (_name, startTime, signals) => {
    const machine = new Router({ ip }).on(sender, () => '');
    machine.process(9999, { stat: stat(500) });
    await machine.act('start');
    machine.files.set('/proc/9999/stat', stat(startTime));
    expect((await machine.act('stop')).code).toBe(0);
    expect(machine.journal.filter((line) => line.startsWith('signal'))).toEqual(signals);
  });

  test('not waited for while the kernel takes it apart: it can announce nothing any more', async () => {
    const machine = new Router({ ip }).on(sender, () => '');
    machine.process(9999, { stat: stat(500) });
    await machine.act('start');
    const exiting = `9999 (send_arp) R 1 0 0 0 0 4194564 ${'0 '.repeat(12)}500 0`;
    machine.onSignal = () => machine.files.set('/proc/9999/stat', exiting);
    const before = machine.now();
    expect(await machine.act('stop')).toMatchObject({ code: 0 });
    expect(machine.now()).toBe(before);
  });
});

describe('Cluster-IP', () => {
  const clone = { CRM_meta_globally_unique: 'true', CRM_meta_clone_max: '2', CRM_meta_clone: '0' };
  /** No table yet; what is loaded is kept in the journal of commands. */
  const firewall = (machine: Router, loaded: string[]) =>
    machine.on('nft', (_args, { input }) => {
      if (input === undefined) return { code: 1, stderr: 'Error: No such file or directory\n' };
      loaded.push(String(input));
      return '';
    });

  test('seed and MAC address are those that stock agents compute', async () => {
    const loaded: string[] = [];
    const machine = new Router({ ip, ...clone }).on('/usr/libexec/heartbeat/send_arp', () => '');
    await firewall(machine, loaded).act('start');
    expect(loaded[0]).toContain('jhash ip saddr mod 2 seed 0x581b5597 offset 1 == 1');
    expect(machine.ran).toContain('ip maddress add 51:1b:55:97:4e:28 dev eth0');
  });

  test('announced with its own MAC address', async () => {
    const machine = new Router({ ip, ...clone, mac: '01:00:5e:00:00:01' });
    machine.on('/usr/libexec/heartbeat/send_arp', () => '');
    machine.held.push({ nic: 'eth0', ip, prefix: 24 });
    machine.on('nft', () => table('cip-node-1'));
    const monitor = { ...clone, CRM_meta_interval: '10000', arp_count_refresh: '1' };
    for (const [name, value] of Object.entries(monitor)) machine.env[`OCF_RESKEY_${name}`] = value;
    expect((await machine.act('monitor')).code).toBe(0);
    expect(machine.journal).toContainEqual(
      expect.stringMatching(/launch .* eth0 192\.168\.144\.2 01005e000001/),
    );
  });

  test.each([
    ['its share', 'cip-node-1', 0],
    ['another share', 'cip-node-2', 7],
  ])('monitor finds %s', async (_name, comment, code) => {
    const machine = new Router({ ip, ...clone, CRM_meta_interval: '10000' });
    machine.held.push({ nic: 'eth0', ip, prefix: 24 });
    machine.on('nft', () => table(comment));
    expect((await machine.act('monitor')).code).toBe(code);
  });

  test.each([
    ['clone-max', { CRM_meta_clone_max: '3' }, 'mod 3 seed 0x581b5597'],
    ['the seed', { clusterip_hash_seed: '7' }, 'mod 2 seed 7'],
  ])(
    '%s was changed while it runs: monitor and probe 1, start takes the share anew',
    async (_what, changed, hash) => {
      const nft = new Nft();
      const machine = new Router({ ip, ...clone }).on('nft', nft.answer);
      expect((await machine.act('start')).code).toBe(0);
      for (const [name, value] of Object.entries(changed)) machine.env[`OCF_RESKEY_${name}`] = value;
      expect(await machine.act('monitor')).toMatchObject({
        code: 1,
        reason: expect.stringMatching(/share 1 .* was taken with another/),
      });
      machine.env['OCF_RESKEY_CRM_meta_interval'] = '10000';
      expect((await machine.act('monitor')).code).toBe(1);
      expect((await machine.act('start')).code).toBe(0);
      expect((await machine.act('monitor')).code).toBe(0);
      expect(nft.texts(`ip IPaddr2_192_168_144_2`).filter((text) => text.includes('jhash'))).toEqual([
        expect.stringContaining(hash),
      ]);
    },
  );

  test('without nft: start says so, monitor and probe do not trust the address, stop removes it', async () => {
    const machine = new Router({ ip, ...clone });
    expect((await machine.act('start')).code).toBe(5);
    machine.held.push({ nic: 'eth0', ip, prefix: 24 });
    expect((await machine.act('monitor')).code).toBe(1);
    expect((await machine.act('stop')).code).toBe(0);
    expect(machine.ips()).toEqual([]);
  });

  test('nft that does not work: stop removes the address, monitor and start say so', async () => {
    const machine = new Router({ ip, ...clone });
    machine.on('nft', () => ({
      code: 1,
      stderr: 'Error: Could not process rule: Operation not supported\n',
    }));
    machine.held.push({ nic: 'eth0', ip, prefix: 24 });
    const { code, reason } = await machine.act('monitor');
    expect([code, reason]).toEqual([1, expect.stringContaining('Operation not supported')]);
    expect((await machine.act('stop')).code).toBe(0);
    expect(machine.ips()).toEqual([]);
    expect((await machine.act('start')).code).toBe(1);
    expect(machine.ips()).toEqual([]);
  });

  test('a share that cannot be given back while others need the address: stop does not claim success', async () => {
    const machine = new Router({ ip, ...clone });
    machine.held.push({ nic: 'eth0', ip, prefix: 24 });
    machine.on('nft', (_args, { input }) =>
      input === undefined ? table('cip-node-1') : { code: 1, stderr: 'Error: No\n' },
    );
    expect((await machine.act('stop')).code).toBe(1);
  });

  const table = (comment: string) =>
    JSON.stringify({
      nftables: [
        {
          rule: {
            ...{ chain: 'prerouting', handle: 3, comment },
            expr: [
              { match: { left: { jhash: { mod: 2, seed: 1, offset: 1 } }, right: 1 } },
              { accept: null },
            ],
          },
        },
        { rule: { chain: 'prerouting', handle: 2, expr: [{ drop: null }] } },
      ],
    });
});

describe('start says what is odd', () => {
  test.each([
    ['a dotted mask', { cidr_netmask: '255.255.255.0' }, /understood as 24/, 0],
    [
      'options of another firewall',
      { CRM_meta_globally_unique: 'true', CRM_meta_clone_max: '2', clusterip_table: 'filter' },
      /clusterip_table and clusterip_chain have no effect/,
      5, // there is no nft here
    ],
    [
      'IPaddr2#104: an option of old kernels',
      { clusterip_hash: 'sourceip' },
      /clusterip_hash has no effect/,
      0,
    ],
  ])('%s', async (_name, params, line, code) => {
    const { code: answer, said } = await new Router({ ip, ...params }).act('start');
    expect(answer).toBe(code);
    expect(said).toContainEqual(expect.stringMatching(line));
  });
});
