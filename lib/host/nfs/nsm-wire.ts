import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import { fewAtOnce } from '../few-at-once.ts';
import type { Host } from '../host.ts';
import { canonicalIp } from '../net/address-text.ts';
import type { UdpSocket } from '../sys/sys.ts';

// SM_NOTIFY (X/Open XNFS, "Network Status Monitor"): an RPC call over UDP from the service's own address, because that is what
// clients recognise the server by: statd compares the packet's source with the address it mounted from. Whatever comes back was written
// by somebody else: it may prove that this one client was told, and nothing about any other.

export type Notice = {
  /** The address it comes from, or `0.0.0.0` and `::` for any. */
  readonly from: string;
  /** Source port; a free reserved one when unset. */
  readonly port: number | undefined;
  /** What the server may be known by; each is told in a call of its own. */
  readonly names: readonly string[];
  readonly state: number;
};

export type Telling = {
  readonly told: ReadonlySet<string>;
  /** Clients whose answer was no good, and what is wrong with it. The others were silent. */
  readonly odd: ReadonlyMap<string, string>;
};

/** Tells all clients at once. Rejects with the system's error when the address is not here. */
export async function tell(
  host: Host,
  notice: Notice,
  clients: readonly string[],
  withinMs: number,
): Promise<Telling> {
  const socket = await bindReserved(host, notice);
  const line = openLine(host, socket, Math.min(withinMs, host.left()));
  const told = new Set<string>();
  const odd = new Map<string, string>();
  try {
    await Promise.all(
      clients.map(async (client) => {
        const ending = await tellOne(host, line, notice, client);
        if (ending === 'told') told.add(client);
        else if (ending !== 'silent') odd.set(client, ending.says);
      }),
    );
    return { told, odd };
  } finally {
    socket.close();
  }
}

const highestReserved = 1023;
const lowestReserved = 600; // below live the well-known services

async function bindReserved(host: Host, { from, port }: Notice): Promise<UdpSocket> {
  if (port !== undefined) return host.sys.openUdp(from, port);
  for (let free = highestReserved; ; free--) {
    try {
      return await host.sys.openUdp(from, free);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || free === lowestReserved) throw error;
    }
  }
}

const portmapper = 111;
const statusMonitor = 100024;

type Ending = 'told' | 'silent' | { readonly says: string };

/** Until it has confirmed or the time is up: its rpcbind or rpc.statd may be starting, the latter with another port than before. */
async function tellOne(host: Host, line: Line, notice: Notice, client: string): Promise<Ending> {
  const to = await addressOf(host, line, client, isIP(notice.from) === 6 ? 6 : 4);
  if (to === undefined) return 'silent';
  let ending: Ending = 'silent';
  for (let pause = firstRepeatMs; ; pause = longer(pause)) {
    const now = await tryOne(line, notice, to);
    if (now !== 'silent') ending = now;
    if (now === 'told' || line.left() <= 0) return ending;
    await line.wait(pause);
  }
}

async function tryOne(line: Line, { names, state }: Notice, to: string): Promise<Ending> {
  const answer = isIP(to) === 4 ? await portOf(line, to) : await portOf6(line, to);
  if (answer === undefined) return 'silent';
  const { port, text } = answer;
  if (port === 0) return { says: 'has no rpc.statd' };
  if (!(port > 0 && port <= highestPort)) return { says: `has its rpc.statd at "${text}", which is no port` };
  for (const name of names) {
    const body = [...xdrString(name), ...xdr(state)];
    if (!(await line.call(to, port, [statusMonitor, 1, 6], body, sameStatdMs))) return 'silent';
  }
  return 'told';
}

/** How long nobody may answer at the port of an rpc.statd before rpcbind is asked for it again. */
const sameStatdMs = 5000;
const highestPort = 65_535;

/** What a portmapper says, and the port that it means: 0 for no service, NaN for what is none. */
type Port = { readonly port: number; readonly text: string };

/** PMAPPROC_GETPORT. `undefined` when there is no answer. */
async function portOf(line: Line, to: string): Promise<Port | undefined> {
  const reply = await line.call(to, portmapper, [100000, 2, 3], xdr(statusMonitor, 1, udpProtocol, 0));
  if (!reply || reply.length < 4) return undefined;
  const port = reply.readUInt32BE(0);
  return { port, text: `${port}` };
}
const udpProtocol = 17;

/** RPCBPROC_GETADDR: the answer is a universal address, whose last two numbers are the port; empty for no service. */
async function portOf6(line: Line, to: string): Promise<Port | undefined> {
  const arguments_ = [
    ...xdr(statusMonitor, 1),
    ...xdrString('udp6'),
    ...xdrString(`${to}.0.111`),
    ...xdrString(''),
  ];
  const reply = await line.call(to, portmapper, [100000, 4, 3], arguments_);
  if (!reply || reply.length < 4) return undefined;
  const text = reply.subarray(4, 4 + Math.min(reply.readUInt32BE(0), longestUniversal)).toString();
  const [, high, low] = /\.(\d{1,3})\.(\d{1,3})$/.exec(text) ?? [];
  return { port: text === '' ? 0 : Number(high) * 256 + Number(low), text };
}
/** More than an IPv6 address with its zone and port takes. */
const longestUniversal = 80;

/** Kernels told to use names (nsm_use_hostnames) put them into the records; a dead name server must not hold us up. */
async function addressOf(host: Host, line: Line, client: string, family: 4 | 6): Promise<string | undefined> {
  if (isIP(client) !== 0) return isIP(client) === family ? client : undefined;
  return line.lookUp(async () => {
    const timeoutMs = Math.min(lookUpMs, line.left());
    if (timeoutMs <= 0) return undefined;
    const { stdout } = await host.tryRun(['getent', `ahostsv${family}`, '--', client], { timeoutMs });
    const address = stdout.split(/\s/, 1)[0] ?? '';
    return isIP(address) === family ? address : undefined;
  });
}

/** glibc waits 5 s for each nameserver that is silent before it asks the next one, resolv.conf(5). */
const lookUpMs = 15_000;
/** Each is a process. */
const mostLookUps = 8;

type Procedure = readonly [program: number, version: number, procedure: number];
type Line = {
  /** The result of a call, repeated until it is answered; `undefined` when the time is up or the call is refused. */
  call(
    to: string,
    port: number,
    what: Procedure,
    body: readonly number[],
    withinMs?: number,
  ): Promise<Buffer | undefined>;
  /** Milliseconds until the time is up. */
  left(): number;
  wait(ms: number): Promise<void>;
  /** Does this when few enough others do theirs. */
  lookUp<T>(work: () => Promise<T>): Promise<T>;
};

const firstRepeatMs = 300;
const longestRepeatMs = 5000;
const longer = (pause: number): number => Math.min(pause * 2, longestRepeatMs);

function openLine(host: Host, socket: UdpSocket, withinMs: number): Line {
  const end = host.sys.now() + withinMs;
  const waiting = new Map<number, { readonly asked: string; take(reply: Buffer): void }>();
  socket.onMessage((bytes, { address, port }) => {
    if (bytes.length < 4) return;
    const reply = Buffer.from(bytes);
    const call = waiting.get(reply.readUInt32BE(0));
    if (call?.asked === endpoint(address, port)) call.take(reply);
  });
  const left = () => end - host.sys.now();
  return {
    left,
    wait: (ms) => host.sys.sleep(Math.max(0, Math.min(ms, left()))),
    lookUp: fewAtOnce(mostLookUps),
    async call(to, port, [program, version, procedure], body, callMs = withinMs) {
      const xid = unguessed(waiting);
      const noAuth = [0, 0, 0, 0];
      const message = Uint8Array.from([...xdr(xid, 0, 2, program, version, procedure, ...noAuth), ...body]);
      const giveUp = Math.min(end, host.sys.now() + callMs);
      let answer: Buffer | undefined;
      const answered = new Promise<void>((resolve) => {
        waiting.set(xid, {
          asked: endpoint(to, port),
          take(reply) {
            answer ??= reply;
            resolve();
          },
        });
      });
      for (let pause = firstRepeatMs; !answer; pause = longer(pause)) {
        const rest = giveUp - host.sys.now();
        if (rest <= 0) break;
        socket.send(message, to, port);
        if (!answer) await Promise.race([answered, host.sys.sleep(Math.min(pause, rest))]);
      }
      waiting.delete(xid);
      return answer && resultOf(answer);
    },
  };
}

/** Who was asked is who may answer. The zone of a link-local address (`%eth0`, `%2`) is spelled in several ways. */
const endpoint = (address: string, port: number): string =>
  `${canonicalIp(address.replace(/%.*$/s, ''))} ${port}`;

/** An xid that nobody can know who has not seen the call. */
function unguessed(taken: { has(xid: number): boolean }): number {
  for (;;) {
    const xid = randomBytes(4).readUInt32BE();
    if (!taken.has(xid)) return xid;
  }
}

/** RFC 5531: xid, reply, accepted, a verifier, success; what follows is the result. */
function resultOf(reply: Buffer): Buffer | undefined {
  if (reply.length < 24 || reply.readUInt32BE(4) !== 1 || reply.readUInt32BE(8) !== 0) return undefined;
  const verdict = 20 + reply.readUInt32BE(16);
  return reply.length >= verdict + 4 && reply.readUInt32BE(verdict) === 0
    ? reply.subarray(verdict + 4)
    : undefined;
}

/** Unsigned 32-bit numbers, most significant byte first. */
const xdr = (...numbers: readonly number[]): readonly number[] =>
  numbers.flatMap((number) => [number >>> 24, (number >>> 16) & 255, (number >>> 8) & 255, number & 255]);

/** Its length, then its bytes, filled up to a multiple of four. */
function xdrString(text: string): readonly number[] {
  const bytes = Buffer.from(text);
  return [...xdr(bytes.length), ...bytes, ...new Array((4 - (bytes.length % 4)) % 4).fill(0)];
}
