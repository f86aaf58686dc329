import { isIP } from 'node:net';
import type { Log } from '../../contract/log.ts';
import { commandTrouble, type Host, hostName } from '../host.ts';
import { readIfThere } from '../local-files.ts';
import { canonicalIp } from '../net/address-text.ts';
import { parseIfInet6 } from '../net/addresses.ts';
import { settleClients, type Waiting } from './nsm-records.ts';
import { type Notice, tell } from './nsm-wire.ts';

/** One address of the service, and what clients may know it as. */
export type Source = Pick<Notice, 'from' | 'names'>;

/** A host that clients mount from, as the administrator lists it. */
export type ServiceHost = {
  readonly name: string;
  /** One for each of its addresses; none for a name that has none. */
  readonly sources: readonly Source[];
  /** Why its addresses could not be found out. */
  readonly trouble?: string;
};

/** glibc waits 5 s for each nameserver that is silent before it asks the next one, resolv.conf(5). */
const longestLookUpMs = 15_000;
/** What is only one more name to be told is not worth the clients' time. */
const reverseMs = 2000;

/**
 * The hosts in a comma separated list of addresses and host names; without one the kernel chooses the address and the name is this
 * machine's.
 */
export async function serviceHosts(
  host: Host,
  list: string | undefined,
  withinMs = longestLookUpMs,
): Promise<readonly ServiceHost[]> {
  const names = (list ?? '').split(',').flatMap((text) => text.trim().replace(/^\[(.*)\]$/, '$1') || []);
  if (names.length === 0) {
    const node = await hostName(host);
    return [{ name: node, sources: [anyIPv4, anyIPv6].map((from) => ({ from, names: [node] })) }];
  }
  return Promise.all(
    names.map(async (name) => {
      if (isIP(name) !== 0)
        return { name, sources: [{ from: name, names: [name, ...(await reverseNames(host, name))] }] };
      const { addresses, ...trouble } = await addressesOf(host, name, withinMs);
      const sources = addresses.map((from) => ({ from, names: [...withShort(name), from] }));
      return { name, sources, ...trouble };
    }),
  );
}

/** One sentence about the names whose addresses could not be found out; `undefined` without such. */
export function notFoundOut(hosts: readonly ServiceHost[]): string | undefined {
  const troubles = hosts.flatMap(({ trouble }) => trouble ?? []);
  return troubles.length === 0 ? undefined : troubles.join('; ');
}

/** One sentence about the names that have no address; `undefined` without such. */
export function withoutAddress(hosts: readonly ServiceHost[]): string | undefined {
  const names = hosts
    .filter(({ sources, trouble }) => sources.length === 0 && trouble === undefined)
    .map(({ name }) => name);
  if (names.length === 0) return undefined;
  return `${names.join(' and ')} ${names.length === 1 ? 'has' : 'have'} no address: missing in /etc/hosts?`;
}

/**
 * Every address of a name, in the resolver's order. Loopback addresses, which Debian gives a host's own name in /etc/hosts, only where
 * there is no other: no client is reached from them.
 */
async function addressesOf(
  host: Host,
  name: string,
  withinMs: number,
): Promise<{ readonly addresses: readonly string[]; readonly trouble?: string }> {
  const argv = ['getent', 'ahosts', name] as const;
  const output = await host.tryRun(argv, { timeoutMs: Math.min(withinMs, host.left() / 2) });
  if (output.code === keyNotFound) return { addresses: [] };
  if (output.code !== 0) return { addresses: [], trouble: commandTrouble(argv, output) };
  // 192.0.2.20      STREAM nfs.example.com
  // (1)             (2)    (3)              address, kind of socket, canonical name on the first line only
  const words = output.stdout.split('\n').flatMap((line) => line.split(/\s+/, 1)[0] || []);
  const valid = [...new Set(words)].filter((address) => isIP(address) !== 0);
  const remote = valid.filter((address) => !address.startsWith('127.') && address !== '::1');
  return { addresses: remote.length > 0 ? remote : valid };
}

/** What getent(1) ends with when the database has no such key. */
const keyNotFound = 2;

/** Linux clients go by the address that a notice comes from, others by the name it carries. */
async function reverseNames(host: Host, address: string): Promise<readonly string[]> {
  const { code, stdout } = await host.tryRun(['getent', 'hosts', address], { timeoutMs: reverseMs });
  const name = code === 0 ? stdout.trim().split(/\s+/)[1] : undefined;
  return name ? withShort(name) : [];
}

function withShort(name: string): readonly string[] {
  const short = name.split('.', 1)[0];
  return short && short !== name ? [name, short] : [name];
}

/**
 * The addresses to send from: of each host those that are on this machine. Waits until each host has one, and until IPv6 has checked
 * those that are here for duplicates. Of a host that has none all are returned: the round says what is wrong with them.
 */
export async function usableSources(
  host: Host,
  hosts: readonly ServiceHost[],
  withinMs: number,
): Promise<readonly Source[]> {
  let usable: readonly (readonly Source[])[] = [];
  await host.until(async () => {
    usable = await Promise.all(hosts.map(({ sources }) => usableOf(host, sources)));
    if (usable.some((sources) => sources.length === 0)) return false;
    const missing = hosts.flatMap(({ sources }, at) => sources.filter((one) => !usable[at]?.includes(one)));
    return !(await isBeingChecked(host, missing));
  }, withinMs);
  return hosts.flatMap(({ sources }, at) => (usable[at]?.length ? usable[at] : sources));
}

async function usableOf(host: Host, sources: readonly Source[]): Promise<readonly Source[]> {
  const here = await Promise.all(sources.map(({ from }) => isAny(from) || isHere(host, from)));
  return sources.filter((_source, at) => here[at]);
}

/** A tentative address cannot be sent from yet (RFC 4862). */
async function isBeingChecked(host: Host, sources: readonly Source[]): Promise<boolean> {
  const wanted = new Set(sources.map(({ from }) => canonicalIp(from)));
  if (wanted.size === 0) return false;
  return parseIfInet6((await readIfThere(host, '/proc/net/if_inet6')) ?? '').some(({ addresses }) =>
    addresses.some(({ ip, detection }) => detection === 'tentative' && wanted.has(ip)),
  );
}

const isHere = (host: Host, address: string): Promise<boolean> =>
  host.sys.openUdp(address, 0).then(
    (socket) => {
      socket.close();
      return true;
    },
    ({ code }: NodeJS.ErrnoException) => code !== 'EADDRNOTAVAIL', // other trouble does not go away by waiting
  );

export type Round = {
  /** Who has confirmed to every address that is for them. */
  readonly told: readonly Waiting[];
  /** Who is on record still, also for the addresses of others. */
  readonly waiting: readonly Waiting[];
  /** Sources that nothing can be sent from: one sentence each. */
  readonly unusable: readonly string[];
  /** Clients that are waiting because their answer is no good, and what is wrong with it. */
  readonly odd: ReadonlyMap<string, string>;
  readonly heard: Heard;
  /** Other resources that are still to tell some of those that have confirmed here. */
  readonly awaited: readonly string[];
  /** Why the others cannot know who has confirmed here. */
  readonly trouble?: string;
};

/** The addresses of the service that each client has confirmed to, by the name of its record. */
export type Heard = ReadonlyMap<string, ReadonlySet<string>>;

/** Most clients answer within milliseconds; the others are told again in the background (`nsm-sender.ts`). */
const firstRoundMs = 2000;
/** In the foreground: what stays of the action's time for the work after the last answer. */
const reserveMs = 3000;

/** The round that a start waits for, until every client has answered where it is to `wait`. */
export async function firstRound(
  host: Host,
  log: Log,
  dir: string,
  sources: readonly Source[],
  clients: readonly Waiting[],
  {
    wait,
    ...notice
  }: {
    readonly wait: boolean;
    readonly name: string;
    readonly state: number;
    readonly port: number | undefined;
  },
): Promise<Round> {
  const withinMs = wait ? host.left() - reserveMs : firstRoundMs;
  const round = await notifyRound(host, dir, sources, clients, { ...notice, withinMs });
  const { told, awaited, trouble } = round;
  log.info(`${told.length} clients notified, ${clients.length - told.length} have not answered yet`);
  if (awaited.length > 0) log.info(`clients stay on record until ${someOf(awaited)} has told them, too`);
  if (trouble !== undefined) log.warn(`other resources do not know who has been notified: ${trouble}`);
  warnOfOdd(log, [...round.odd]);
  return round;
}

export function warnOfOdd(log: Log, odd: readonly (readonly [client: string, says: string])[]): void {
  if (odd.length > 0)
    log.warn(`cannot be told of the restart: ${someOf(odd.map(([client, says]) => `${client} ${says}`))}`);
}

const mostNamed = 20;

/** A list for the log; whoever can make it long gets no more of it than this. */
export function someOf(list: readonly string[]): string {
  const more = list.length - mostNamed;
  return [...list.slice(0, mostNamed), ...(more > 0 ? [`${more} more`] : [])].join(', ');
}

/**
 * Tells each of `clients` from every address of the service that it has not `heard` from, and strikes those from the list that have confirmed
 * to all of them, and to those of every other resource that tells this list.
 */
export async function notifyRound(
  host: Host,
  dir: string,
  sources: readonly Source[],
  clients: readonly Waiting[],
  {
    state,
    port,
    withinMs,
    name,
    hasWaited = false,
    heard = new Map(),
  }: {
    readonly name: string;
    /** Whether it is over that others are waited for who do not tell. */
    readonly hasWaited?: boolean;
    readonly state: number;
    readonly port: number | undefined;
    readonly withinMs: number;
    readonly heard?: Heard;
  },
): Promise<Round> {
  const confirmed = new Map(clients.map(({ file }) => [file, new Set(heard.get(file))]));
  const unusable: string[] = [];
  const odd = new Map<string, string>();
  await Promise.all(
    sources.map(async ({ from, names }) => {
      const here = clients.filter(
        ({ file, client }) => matches(from, client) && !confirmed.get(file)?.has(from),
      );
      if (isAny(from) && here.length === 0) return;
      const notice = { from, names, state, port };
      try {
        const whom = here.map(({ client }) => client);
        const answers = await tell(host, notice, whom, withinMs);
        for (const [client, says] of answers.odd) odd.set(client, says);
        for (const { file, client } of here) if (answers.told.has(client)) confirmed.get(file)?.add(from);
      } catch (error) {
        unusable.push(whyUnusable(from, error as NodeJS.ErrnoException));
      }
    }),
  );
  const needed = (one: Waiting) => (isIP(one.client) === 0 ? 1 : sourcesFor(one, sources).length);
  const isPassed = (one: Waiting) => needed(one) === 0;
  const isTold = (one: Waiting) => !isPassed(one) && (confirmed.get(one.file)?.size ?? 0) >= needed(one);
  const told = clients.filter(isTold);
  const isMute = unusable.length > 0 && unusable.length === sources.length; // nobody may wait for it
  const own = { state, told: filesOf(told), passed: filesOf(clients.filter(isPassed)) };
  const { struck, ...settled } = isMute
    ? { struck: [], awaited: [] }
    : await settleClients(host, dir, { name, own, hasWaited });
  const gone = new Set(struck);
  const waiting = clients.filter(({ file }) => !gone.has(file));
  return { told, waiting, unusable, odd, heard: confirmed, ...settled };
}

export const filesOf = (clients: readonly Waiting[]): readonly string[] => clients.map(({ file }) => file);

/** The addresses that a client is told from. */
export const sourcesFor = ({ client }: Waiting, sources: readonly Source[]): readonly string[] =>
  sources.map(({ from }) => from).filter((from) => matches(from, client));

const anyIPv4 = '0.0.0.0';
const anyIPv6 = '::';
const isAny = (from: string) => from === anyIPv4 || from === anyIPv6;
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
