import type { NfsMachine } from './nfs-machine.ts';

/** A record of statd, as lockd had it written. */
export const record = (client: string) =>
  `0100007f 000186b5 00000003 00000010 ${'ab'.repeat(16)} ${client} node9`;

export type Told = {
  readonly client: string;
  readonly from: string;
  readonly name: string;
  readonly state: number;
};

/** Gives the network clients whose rpcbind and rpc.statd answer, but for the deaf ones, and writes down what they are told. */
export function clientsOn(machine: NfsMachine): {
  readonly told: Told[];
  readonly deaf: Set<string>;
  /** Pairs `client from` without a route between them. */
  readonly apart: Set<string>;
} {
  const told: Told[] = [];
  const deaf = new Set<string>();
  const apart = new Set<string>();
  machine.onUdp = (bytes, to, port, from) => {
    const call = Buffer.from(bytes);
    if (deaf.has(to) || apart.has(`${to} ${from}`)) return undefined;
    const reply = (...result: number[]) => {
      const words = [call.readUInt32BE(0), 1, 0, 0, 0, 0, ...result];
      const answer = Buffer.alloc(words.length * 4);
      words.forEach((word, at) => void answer.writeUInt32BE(word >>> 0, at * 4));
      return answer;
    };
    if (port === 111) return reply(40_000);
    const length = call.readUInt32BE(40);
    const name = call.subarray(44, 44 + length).toString();
    told.push({ client: to, from, name, state: call.readUInt32BE(44 + Math.ceil(length / 4) * 4) });
    return reply();
  };
  return { told, deaf, apart };
}
