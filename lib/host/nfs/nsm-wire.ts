import { isIP } from 'node:net';
import type { Host } from '../host.ts';
import type { UdpSocket } from '../sys/sys.ts';

// SM_NOTIFY (X/Open XNFS, "Network Status Monitor"): an RPC call over UDP from the service's own address, because that is what
// clients recognise the server by: statd compares the packet's source with the address it mounted from.

export type Notice = {
  /** The address it comes from, or `0.0.0.0` and `::` for any. */
  readonly from: string;
  /** Source port; a free reserved one when unset. */
  readonly port: number | undefined;
  /** What the server may be known by; each is told in a call of its own. */
  readonly names: readonly string[];
  readonly state: number;
};

/** Tells all clients at once and returns those that confirmed. Rejects with the system's error when the address is not here. */
export async function tell(
  host: Host,
  notice: Notice,
  clients: readonly string[],
  withinMs: number,
): Promise<ReadonlySet<string>> {
  const socket = await bindReserved(host, notice);
  const line = openLine(host, socket, Math.min(withinMs, host.left()));
  try {
    const told = await Promise.all(
      clients.map(async (client) => ((await tellOne(host, line, notice, client)) ? [client] : [])),
    );
    return new Set(told.flat());
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

async function tellOne(
  host: Host,
  line: Line,
  { from, names, state }: Notice,
  client: string,
): Promise<boolean> {
  const to = await addressOf(host, client, isIP(from) === 6 ? 6 : 4);
  if (to === undefined) return false;
  const port = isIP(to) === 4 ? await portOf(line, to) : await portOf6(line, to);
  if (port === 0) return false; // no statd there
  for (const name of names) {
    const confirmed = await line.call(to, port, [statusMonitor, 1, 6], [...xdrString(name), ...xdr(state)]);
    if (!confirmed) return false;
  }
  return true;
}

/** PMAPPROC_GETPORT; 0 when there is no answer or no service. */
async function portOf(line: Line, to: string): Promise<number> {
  const reply = await line.call(to, portmapper, [100000, 2, 3], xdr(statusMonitor, 1, udpProtocol, 0));
  return reply && reply.length >= 4 ? reply.readUInt32BE(0) : 0;
}
const udpProtocol = 17;

/** RPCBPROC_GETADDR: the answer is a universal address, whose last two numbers are the port. */
async function portOf6(line: Line, to: string): Promise<number> {
  const arguments_ = [
    ...xdr(statusMonitor, 1),
    ...xdrString('udp6'),
    ...xdrString(`${to}.0.111`),
    ...xdrString(''),
  ];
  const reply = await line.call(to, portmapper, [100000, 4, 3], arguments_);
  if (!reply || reply.length < 4) return 0;
  const universal = reply.subarray(4, 4 + reply.readUInt32BE(0)).toString();
  const [high, low] = universal.split('.').slice(-2).map(Number);
  return universal.includes('.') ? (high ?? 0) * 256 + (low ?? 0) : 0;
}

/** Kernels told to use names (nsm_use_hostnames) put them into the records; a dead name server must not hold us up. */
async function addressOf(host: Host, client: string, family: 4 | 6): Promise<string | undefined> {
  if (isIP(client) !== 0) return isIP(client) === family ? client : undefined;
  const { stdout } = await host.tryRun(['getent', `ahostsv${family}`, client], { timeoutMs: 5000 });
  const address = stdout.split(/\s/, 1)[0] ?? '';
  return isIP(address) === family ? address : undefined;
}

type Procedure = readonly [program: number, version: number, procedure: number];
type Line = {
  /** The result of a call, repeated until it is answered; `undefined` when the time is up or the call is refused. */
  call(to: string, port: number, what: Procedure, body: readonly number[]): Promise<Buffer | undefined>;
};

const firstRepeatMs = 300;
const longestRepeatMs = 5000;
let lastXid = 0;

function openLine(host: Host, socket: UdpSocket, withinMs: number): Line {
  const end = host.sys.now() + withinMs;
  const waiting = new Map<number, (reply: Buffer) => void>();
  socket.onMessage((bytes) => {
    const reply = Buffer.from(bytes);
    if (reply.length >= 4) waiting.get(reply.readUInt32BE(0))?.(reply);
  });
  return {
    async call(to, port, [program, version, procedure], body) {
      lastXid = (lastXid + 1) >>> 0;
      const xid = (host.sys.pid * 65_536 + lastXid) >>> 0;
      const noAuth = [0, 0, 0, 0];
      const message = Uint8Array.from([...xdr(xid, 0, 2, program, version, procedure, ...noAuth), ...body]);
      let answer: Buffer | undefined;
      const answered = new Promise<void>((resolve) => {
        waiting.set(xid, (reply) => {
          answer ??= reply;
          resolve();
        });
      });
      for (let pause = firstRepeatMs; !answer; pause = Math.min(pause * 2, longestRepeatMs)) {
        const rest = end - host.sys.now();
        if (rest <= 0) break;
        socket.send(message, to, port);
        if (!answer) await Promise.race([answered, host.sys.sleep(Math.min(pause, rest))]);
      }
      waiting.delete(xid);
      return answer && resultOf(answer);
    },
  };
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
