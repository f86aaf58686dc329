import { describe, expect, test } from 'vitest';
import { hostOn } from '../../../../lib/host/host.ts';
import { type Telling, tell } from '../../../../lib/host/nfs/nsm-wire.ts';
import { type Datagram, FakeMachine } from '../../../fake/machine.ts';

// A network on which somebody lies. Clients 51 and 52 are honest, 66 is not; 77 is silent.

const from = { 4: '10.0.0.20', 6: 'fd00::20' } as const;
const honest = { 4: ['10.0.0.51', '10.0.0.52'], 6: ['fd00::51', 'fd00::52'] } as const;
const liar = { 4: '10.0.0.66', 6: 'fd00::66' } as const;
const silent = { 4: '10.0.0.77', 6: 'fd00::77' } as const;
const statd = 40_000;

/** An accepted reply to a call. */
function reply(call: Uint8Array | number, ...result: readonly (number | string)[]): Buffer {
  const xid = typeof call === 'number' ? call : Buffer.from(call).readUInt32BE(0);
  const word = (number: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(number >>> 0);
    return bytes;
  };
  const parts = result.flatMap((part) =>
    typeof part === 'number' ? word(part) : [word(part.length), Buffer.from(part)],
  );
  return Buffer.concat([...[xid, 1, 0, 0, 0, 0].map(word), ...parts]);
}

type Family = 4 | 6;
type Answer = Uint8Array | readonly Datagram[] | undefined;
type Call = { readonly bytes: Uint8Array; readonly to: string; readonly port: number };
type Lie = (call: Call, family: Family) => Answer;

const portAnswer = (bytes: Uint8Array, family: Family): Buffer =>
  family === 4 ? reply(bytes, statd) : reply(bytes, `::.${statd >> 8}.${statd & 255}`);

const truth: Lie = ({ bytes, port }, family) => (port === 111 ? portAnswer(bytes, family) : reply(bytes));

async function network(
  lie: Lie,
  family: Family,
  others: readonly string[] = [silent[family], ...honest[family]],
): Promise<Telling & { readonly calls: readonly Call[] }> {
  const machine = new FakeMachine();
  machine.local.add(from[family]);
  const calls: Call[] = [];
  machine.onUdp = (bytes, to, port) => {
    const call = { bytes, to, port };
    calls.push(call);
    if (to === silent[family]) return undefined;
    return to === liar[family] ? lie(call, family) : truth(call, family);
  };
  const notice = { from: from[family], port: undefined, names: ['nfs'], state: 3 };
  const clients = [liar[family], ...others];
  return { ...(await tell(hostOn(machine, 60_000), notice, clients, 20_000)), calls };
}

describe('S12: what a client calls its port', () => {
  const says = (answer: number | string): Lie => {
    return (call, family) => (call.port === 111 ? reply(call.bytes, answer) : truth(call, family));
  };
  test.each<[Family, number | string, RegExp]>([
    [4, 65_536, /has its rpc.statd at "65536", which is no port/],
    [4, 0xffffffff, /4294967295/],
    [4, 0, /has no rpc.statd/],
    [6, '', /has no rpc.statd/],
    [6, '::.0.0', /has no rpc.statd/],
    [6, '::.256.0', /no port/],
    [6, '::.999.999', /no port/],
    [6, '::.-1.5', /no port/],
    [6, '::.1e1.5', /no port/],
    [6, '80', /no port/],
    [6, '0x50', /no port/],
    [6, 'no address', /no port/],
    [6, '.'.repeat(20_000), /no port/],
  ])('IPv%i, %j: it is skipped and named, the others are told', async (family, answer, why) => {
    const { told, odd } = await network(says(answer), family);
    expect([...told]).toEqual(honest[family]);
    expect([...odd.keys()]).toEqual([liar[family]]);
    expect(odd.get(liar[family])).toMatch(why);
    expect(odd.get(liar[family])?.length).toBeLessThan(200);
  });

  test.each<[Family]>([[4], [6]])(
    'IPv%i: it is asked again, not all the time, and told once it names one',
    async (family) => {
      let asked = 0;
      const nothing = says(family === 4 ? 0 : '');
      const late: Lie = (call) => (call.port === 111 && asked++ < 4 ? nothing : truth)(call, family);
      // the clock of a fake machine is no one's own: whoever sleeps moves it for all
      const { told, odd } = await network(late, family, honest[family]);
      expect([...told].sort()).toEqual([liar[family], ...honest[family]].sort());
      expect(odd.size).toBe(0);
      expect((await network(nothing, family, [])).calls.length).toBeLessThan(20);
    },
  );

  test('a statd that was started again is looked for at its new port', async () => {
    let asked = 0;
    const moved: Lie = (call) => {
      if (call.port === 111) return reply(call.bytes, asked++ === 0 ? 50_000 : statd);
      return call.port === statd ? reply(call.bytes) : undefined;
    };
    expect([...(await network(moved, 4, [])).told]).toEqual([liar[4]]);
  });
});

describe('S13: an answer counts from the address and port that was asked', () => {
  /** Everything that a client can say about calls of others: it knows the xids of its own. */
  const forging =
    (address: (family: Family) => string | undefined, port?: number): Lie =>
    (call, family) => {
      const own = Buffer.from(call.bytes).readUInt32BE(0);
      const near = Array.from({ length: 201 }, (_, at) => (own + at - 100) >>> 0);
      const source = { address: address(family) ?? liar[family], ...(port !== undefined && { port }) };
      return near.flatMap((xid) => [
        { bytes: family === 4 ? reply(xid, statd) : reply(xid, '::.156.64'), ...source },
        { bytes: reply(xid), ...source },
      ]);
    };

  test.each<[Family]>([[4], [6]])(
    'IPv%i: a client that answers for others proves nothing',
    async (family) => {
      const { told } = await network(
        forging(() => undefined),
        family,
      );
      expect([...told].sort()).toEqual([liar[family], ...honest[family]].sort());
    },
  );

  test.each<[Family]>([[4], [6]])(
    'IPv%i: nor one that writes the silent one’s address on it',
    async (family) => {
      const { told } = await network(
        forging((of) => silent[of]),
        family,
      );
      expect([...told].sort()).toEqual([...honest[family]].sort());
    },
  );

  test.each<[Family, string, number]>([
    [4, '10.0.0.66', 112],
    [4, '10.0.0.51', 111],
    [4, '10.0.0.6', 111],
    [6, 'fd00::66', 112],
    [6, '::ffff:10.0.0.66', 111],
  ])('IPv%i: the right xid from %s port %i is nobody’s', async (family, address, port) => {
    const elsewhere: Lie = (call) => [{ bytes: portAnswer(call.bytes, family), address, port }];
    expect([...(await network(elsewhere, family)).told]).toEqual(honest[family]);
  });

  test('another spelling of the same address is the same', async () => {
    const { told } = await network((call) => {
      const bytes = call.port === 111 ? portAnswer(call.bytes, 6) : reply(call.bytes);
      return [{ bytes, address: 'FD00:0:0::0066%eth0' }];
    }, 6);
    expect([...told]).toContain(liar[6]);
  });

  test('xids are unlike each other, and a repeated call keeps its own', async () => {
    const { calls } = await network(truth, 4);
    const xids = (to: string) => [
      ...new Set(
        calls.filter((call) => call.to === to).map(({ bytes }) => Buffer.from(bytes).readUInt32BE(0)),
      ),
    ];
    expect(xids(silent[4])).toHaveLength(1);
    const all = calls.map(({ bytes }) => Buffer.from(bytes).readUInt32BE(0));
    const steps = all.slice(1).map((xid, at) => Math.abs(xid - (all[at] ?? 0)));
    expect(steps.filter((step) => step > 0 && step < 65_536).length).toBeLessThan(3);
  });

  test.each<[string, (call: Call) => Uint8Array]>([
    ['nothing', () => new Uint8Array()],
    ['three bytes', () => new Uint8Array(3)],
    ['the call itself', ({ bytes }) => bytes],
    ['no result', ({ bytes }) => reply(bytes)],
    ['half a result', ({ bytes }) => reply(bytes, 1).subarray(0, 26)],
    ['a string longer than itself', ({ bytes }) => reply(bytes, 0xffffffff)],
    [
      'a verifier without end',
      ({ bytes }) => Buffer.concat([reply(bytes).subarray(0, 16), Buffer.alloc(8, 255)]),
    ],
    ['a refusal', ({ bytes }) => Buffer.concat([reply(bytes).subarray(0, 8), Buffer.from([0, 0, 0, 1])])],
  ])('%s for an answer: the others are told', async (_what, answer) => {
    for (const family of [4, 6] as const)
      expect([...(await network((call) => answer(call), family)).told]).toEqual(honest[family]);
  });
});

test('S7: names are looked up some at a time, and only while there is time', async () => {
  const machine = new FakeMachine();
  machine.local.add(from[4]);
  let [running, most, all] = [0, 0, 0];
  machine.on('getent', async ([, dashes], { timeoutMs }) => {
    expect(dashes).toBe('--'); // a name may look like an option
    all++;
    most = Math.max(most, ++running);
    await new Promise((resolve) => setImmediate(resolve));
    running--;
    machine.clock += timeoutMs / 10;
    return { code: 2 };
  });
  const names = Array.from({ length: 600 }, (_, at) => `--client${at}`);
  const notice = { from: from[4], port: undefined, names: ['nfs'], state: 3 };
  await tell(hostOn(machine, 60_000), notice, names, 2000);
  expect(most).toBeLessThanOrEqual(8);
  expect(all).toBeLessThan(100);
});
