import { describe, expect, test } from 'vitest';
import { Nft } from './nft.ts';
import { Router } from './router.ts';
import { type Call, together } from './together.ts';

// Several instances at work on one node at the same time, each row in every order in which their commands may follow each other while
// each call is left at most twice.

const v4 = '192.168.144.2';
const v6 = '2001:db8::2';
const notifyFile = '/proc/sys/net/ipv6/conf/eth0/ndisc_notify';

const share = (action: string, clone: number, failing?: string): Call => ({
  action,
  env: { OCF_RESOURCE_INSTANCE: `vip:${clone}`, OCF_RESKEY_CRM_meta_clone: String(clone) },
  ...(failing !== undefined && { failing }),
});

function clusterIp(ip: string, more: Readonly<Record<string, string>> = {}) {
  const nft = new Nft();
  const router = new Router({ ip, CRM_meta_globally_unique: 'true', CRM_meta_clone_max: '3', ...more });
  router.on('nft', nft.answer);
  return { nft, router };
}

/** How many commands each call runs before it is left: more than there are, at most. */
const counts = (calls: number): readonly (readonly number[])[] => {
  const each = Array.from({ length: calls === 2 ? 13 : 11 }, (_, at) => at);
  return each.flatMap((ahead) => each.map((beside) => [ahead, beside, ...(calls === 2 ? [] : [beside])]));
};

type Row = readonly [
  name: string,
  before: readonly number[],
  calls: readonly Call[],
  codes: readonly number[],
  shares: readonly number[],
];

describe.each([
  ['IPv4', v4, { clusterip_mac_mangle: 'true' }],
  ['IPv6', v6, {}],
])('Cluster-IP, %s', (_family, ip, more) => {
  test.each<Row>([
    ['two start', [], [share('start', 0), share('start', 1)], [0, 0], [1, 2]],
    ['two stop', [0, 1], [share('stop', 0), share('stop', 1)], [0, 0], []],
    ['one starts, the last one stops', [1], [share('start', 0), share('stop', 1)], [0, 0], [1]],
    ['the last one stops, one starts', [1], [share('stop', 1), share('start', 0)], [0, 0], [1]],
    ['one starts, one stops that was not there', [], [share('start', 0), share('stop', 1)], [0, 0], [1]],
    ['one stops that was not there, one starts', [], [share('stop', 1), share('start', 0)], [0, 0], [1]],
    ['one starts, one of two stops', [1, 2], [share('start', 0), share('stop', 1)], [0, 0], [1, 3]],
    ['two stop, one starts', [1, 2], [share('stop', 1), share('start', 0), share('stop', 2)], [0, 0, 0], [1]],
    ['one starts, two stop', [1, 2], [share('start', 0), share('stop', 1), share('stop', 2)], [0, 0, 0], [1]],
    ['three stop', [0, 1, 2], [share('stop', 0), share('stop', 1), share('stop', 2)], [0, 0, 0], []],
    [
      'a start that fails, one that does not',
      [],
      [share('start', 0, 'maddress add'), share('start', 1)],
      [1, 0],
      [2],
    ],
    ['a start, one that fails', [], [share('start', 0), share('start', 1, 'maddress add')], [0, 1], [1]],
    [
      'a start that fails, the last one stops',
      [1],
      [share('start', 0, 'maddress add'), share('stop', 1)],
      [1, 0],
      [],
    ],
  ])('%s', async (_name, before, calls, codes, shares) => {
    for (const lengths of counts(calls.length)) {
      const { nft, router } = clusterIp(ip, more);
      for (const clone of before) await together(router, [share('start', clone)], []);
      const results = await together(router, calls, lengths);
      const rules = nft.ends(`${ip.includes(':') ? 'ip6' : 'ip'} IPaddr2_${ip.replaceAll(/[.:]/g, '_')}`);
      expect(
        {
          codes: results.map(({ code }) => code),
          ips: router.ips(),
          shares: rules?.filter((rule) => rule.startsWith('cip')).sort(),
          last: rules?.at(-1),
          tables: nft.names().length,
          listens: router.listens.size,
        },
        lengths.join(' '),
      ).toEqual({
        codes,
        ...(shares.length === 0
          ? { ips: [], shares: undefined, last: undefined, tables: 0, listens: 0 }
          : {
              ips: [ip],
              shares: shares.map((number) => `cip-node-${number}`),
              last: 'drop',
              tables: ip.includes(':') ? 1 : 2,
              listens: 1,
            }),
      });
    }
  });
});

const plain = (action: string, ip: string): Call => ({
  action,
  env: { OCF_RESOURCE_INSTANCE: `vip-${ip}-${action}`, OCF_RESKEY_ip: ip },
});

test('IPv6 addresses that start together: the kernel tells of each, and the setting is as before', async () => {
  for (const lengths of counts(2)) {
    const router = new Router({});
    router.files.set(notifyFile, '0\n');
    router.fresh = { tentative: true };
    const told: (string | undefined)[] = [];
    let looks = 0;
    router.onTick = () => {
      looks += 1;
      if (looks % 7 !== 0) return;
      router.held = router.held.map((one) => {
        if (!('tentative' in (one.extra ?? {}))) return one;
        told.push(router.files.get(notifyFile));
        return { ...one, extra: {} };
      });
    };
    const results = await together(router, [plain('start', v6), plain('start', '2001:db8::3')], lengths);
    expect(results.map(({ code }) => code)).toEqual([0, 0]);
    expect([told, router.files.get(notifyFile)], lengths.join(' ')).toEqual([['1\n', '1\n'], '0\n']);
  }
});

describe('addresses of one network, of which the kernel takes all along with the first', () => {
  const [one, two, three] = ['10.0.0.2', '10.0.0.3', '10.0.0.4'] as const;
  test.each<readonly [string, readonly string[], readonly Call[], readonly string[]]>([
    ['the first and another stop', [one, two], [plain('stop', one), plain('stop', two)], []],
    ['another and the first stop', [one, two], [plain('stop', two), plain('stop', one)], []],
    ['the first two stop', [one, two, three], [plain('stop', one), plain('stop', two)], [three]],
    ['the last two stop', [one, two, three], [plain('stop', three), plain('stop', two)], [one]],
    ['the first stops, one starts', [one], [plain('stop', one), plain('start', three)], [three]],
    ['one starts, the first stops', [one, two], [plain('start', three), plain('stop', one)], [two, three]],
    [
      'the first stops, the other is looked at',
      [one, two],
      [plain('stop', one), plain('monitor', two)],
      [two],
    ],
  ])('%s', async (_name, before, calls, left) => {
    for (const lengths of counts(2)) {
      const router = new Router({ nic: 'eth0', cidr_netmask: '24' });
      for (const ip of before) router.held.push({ nic: 'eth0', ip, prefix: 24 });
      const results = await together(router, calls, lengths);
      expect(
        { codes: results.map(({ code }) => code), ips: router.ips().sort() },
        `${lengths.join(' ')} ${results.map(({ reason }) => reason).join('; ')}`,
      ).toEqual({ codes: [0, 0], ips: left });
      expect([...router.files.keys()].filter((file) => /-(alone|beside)-/.test(file))).toEqual([]);
    }
  });
});

describe('an address that comes between the look and the adding', () => {
  test.each([
    ['as it is wanted: there is nothing to do', {}, {}, 0, undefined],
    ['with another label', { iflabel: 'web' }, {}, 1, /without label eth0:web/],
    ['without a link', {}, { operstate: 'DOWN' }, 1, /no link/],
  ])('%s', async (_name, params, state, code, reason) => {
    const router = new Router({ ip: v4, ...params });
    const ip = router.handler('ip');
    router.on('ip', (args, command) => {
      if (args.includes('add') && router.ips().length === 0) {
        router.held.push({ nic: 'eth0', ip: v4, prefix: 24 });
        router.state = state;
      }
      return ip(args, command);
    });
    const result = await router.act('start');
    expect([result.code, result.reason ?? '']).toEqual([code, expect.stringMatching(reason ?? /^$/)]);
    expect(router.ips()).toEqual([v4]);
    expect(router.journal.some((line) => /launch|datagram/.test(line))).toBe(false);
  });
});
