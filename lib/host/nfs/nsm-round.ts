import { isIP } from 'node:net';
import { Failure } from '../../contract/outcome.ts';
import type { Host } from '../host.ts';
import { forgetClients, type Waiting } from './nsm-records.ts';
import { type Notice, tell } from './nsm-wire.ts';

/** One address of the service, and what clients may know it as. */
export type Source = Pick<Notice, 'from' | 'names'>;

const lookUpMs = 2000;

/**
 * The addresses in a comma separated list of addresses and host names; without one the kernel chooses the address and the name
 * is this machine's. Throws `Failure` for a name that has no address.
 */
export async function sourcesOf(host: Host, list: string | undefined): Promise<readonly Source[]> {
  const hosts = (list ?? '').split(',').flatMap((text) => text.trim().replace(/^\[(.*)\]$/, '$1') || []);
  if (hosts.length === 0) {
    const node = (await host.sys.read('/proc/sys/kernel/hostname')).trim();
    return ['0.0.0.0', '::'].map((from) => ({ from, names: [node] }));
  }
  return Promise.all(
    hosts.map(async (name) => {
      if (isIP(name) !== 0) return { from: name, names: [name, ...(await reverseNames(host, name))] };
      const { stdout } = await host.tryRun(['getent', 'ahosts', name], { timeoutMs: lookUpMs });
      const from = stdout.split(/\s/, 1)[0] ?? '';
      if (isIP(from) === 0) throw new Failure('failed', `${name} has no address: is it in /etc/hosts?`);
      return { from, names: [...withShort(name), from] };
    }),
  );
}

/** Linux clients go by the address that a notice comes from, others by the name it carries. */
async function reverseNames(host: Host, address: string): Promise<readonly string[]> {
  const { code, stdout } = await host.tryRun(['getent', 'hosts', address], { timeoutMs: lookUpMs });
  const name = code === 0 ? stdout.trim().split(/\s+/)[1] : undefined;
  return name ? withShort(name) : [];
}

function withShort(name: string): readonly string[] {
  const short = name.split('.', 1)[0];
  return short && short !== name ? [name, short] : [name];
}

/** Waits until a packet can be sent from every one of them: an address may still be checked for duplicates. Says whether it can. */
export const awaitSources = (host: Host, sources: readonly Source[], withinMs: number): Promise<boolean> =>
  host.until(async () => {
    const usable = await Promise.all(sources.map(({ from }) => isAny(from) || isHere(host, from)));
    return usable.every(Boolean);
  }, withinMs);

const isHere = (host: Host, address: string): Promise<boolean> =>
  host.sys.openUdp(address, 0).then(
    (socket) => {
      socket.close();
      return true;
    },
    ({ code }: NodeJS.ErrnoException) => code !== 'EADDRNOTAVAIL', // other trouble does not go away by waiting
  );

export type Round = {
  readonly told: readonly Waiting[];
  readonly waiting: readonly Waiting[];
  /** Sources that nothing can be sent from: one sentence each. */
  readonly unusable: readonly string[];
};

/** Tells each of `clients` from every address of the service, and strikes those from the list that confirmed all of it. */
export async function notifyRound(
  host: Host,
  dir: string,
  sources: readonly Source[],
  clients: readonly Waiting[],
  {
    state,
    port,
    withinMs,
  }: { readonly state: number; readonly port: number | undefined; readonly withinMs: number },
): Promise<Round> {
  const confirmed = new Map<Waiting, number>();
  const unusable: string[] = [];
  await Promise.all(
    sources.map(async ({ from, names }) => {
      const here = clients.filter(({ client }) => matches(from, client));
      if (isAny(from) && here.length === 0) return;
      const notice = { from, names, state, port };
      try {
        const told = await tell(
          host,
          notice,
          here.map(({ client }) => client),
          withinMs,
        );
        for (const one of here) if (told.has(one.client)) confirmed.set(one, (confirmed.get(one) ?? 0) + 1);
      } catch (error) {
        unusable.push(whyUnusable(from, error as NodeJS.ErrnoException));
      }
    }),
  );
  const needed = ({ client }: Waiting) =>
    isIP(client) === 0 ? 1 : sources.filter(({ from }) => matches(from, client)).length;
  const told = clients.filter((one) => (confirmed.get(one) ?? 0) >= Math.max(1, needed(one)));
  await forgetClients(host, dir, told);
  return { told, waiting: clients.filter((one) => !told.includes(one)), unusable };
}

const isAny = (from: string) => from === '0.0.0.0' || from === '::';
const matches = (from: string, client: string): boolean => isIP(client) === 0 || isIP(client) === isIP(from);

function whyUnusable(from: string, { code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case 'EADDRNOTAVAIL':
      return `${from} is not an address of this machine: the address must be started first`;
    case 'EADDRINUSE':
      return `no UDP port of ${from} is free to send from`;
    default:
      return `cannot send from ${from}: ${message}`;
  }
}
