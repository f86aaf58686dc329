import { Failure } from '../../lib/contract/outcome.ts';
import { parseEvents2 } from '../../lib/host/drbd/events2.ts';
import { changedAlone, lastPrimaryTime, splitBrainIn } from '../../lib/host/drbd/split-brain.ts';
import type { Resource } from '../../lib/host/drbd/state.ts';
import { procVersion, versionText } from '../../lib/host/drbd/version.ts';
import { commandTrouble, type Host } from '../../lib/host/host.ts';
import { isThere, readIfThere } from '../../lib/host/local-files.ts';
import type { Argv } from '../../lib/host/sys/sys.ts';
import { type Known, noAnswer, tryToKnow, unknown } from './known.ts';

/** DRBD as this node's kernel sees it. */
export type Drbd = {
  /** Null while the module is not loaded. */
  readonly version: string | null;
  readonly resources: readonly DrbdResource[];
};

export type DrbdResource = {
  readonly name: string;
  readonly role: string;
  readonly suspended: readonly string[];
  readonly volumes: readonly Volume[];
  readonly peers: readonly Peer[];
  /** When this node was Primary last, in milliseconds since 1970; null when nobody asked, or the log does not tell. */
  readonly lastPrimary: Period | null;
};

/** Null at an end that is not known; `until` also while it lasts. */
export type Period = { readonly from: number | null; readonly until: number | null };

export type Volume = {
  readonly volume: number;
  readonly minor: number;
  readonly disk: string;
  /** Without a disk on purpose. */
  readonly client: boolean;
  readonly quorum: boolean;
  readonly sizeKiB: number | null;
};

export type Peer = {
  /** Null on DRBD 8.4, which does not know it. */
  readonly name: string | null;
  readonly connection: string;
  readonly role: string;
  readonly volumes: readonly PeerVolume[];
  /** Null when there is none, or nobody could tell. */
  readonly splitBrain: Split | null;
};

export type PeerVolume = {
  readonly volume: number;
  readonly replication: string;
  readonly disk: string;
  readonly client: boolean;
  /** What the two copies do not have in common. */
  readonly outOfSyncKiB: number | null;
  readonly donePercent: number | null;
  readonly rateKiBPerSecond: number | null;
  readonly leftSeconds: number | null;
};

/** An unsolved split brain, by the kernel's log. Amounts are the most that each side can have changed alone. */
export type Split = {
  readonly hereKiB: number | null;
  readonly thereKiB: number | null;
  readonly generationHere: string | null;
  readonly generationThere: string | null;
  /** When the two met, in milliseconds since 1970. */
  readonly foundAt: number | null;
};

const askMs = 5000;

/** Without the module nothing is asked: drbdsetup would load it. Throws `Failure` when the kernel does not answer. */
export async function lookAtDrbd(host: Host): Promise<Drbd> {
  const proc = await readIfThere(host, '/proc/drbd');
  if (proc === undefined && !(await isThere(host, '/sys/module/drbd')))
    return { version: null, resources: [] };
  const version = procVersion(proc ?? '');
  const argv: Argv = ['drbdsetup', 'events2', '--now', '--statistics'];
  const output = await host.tryRun(argv, { timeoutMs: askMs });
  if (output.code !== 0) throw noAnswer(host, output, commandTrouble(argv, output));
  const statistics = statisticsIn(output.stdout);
  const resources = namesIn(output.stdout).map((name) => {
    const found = parseEvents2(output.stdout, name)?.resource;
    if (!found) throw new Failure('failed', `drbdsetup events2 told only a part of resource ${name}`);
    return found;
  });
  const log = resources.some(isAlone) ? await kernelLog(host) : unknown('not needed');
  const clock = await bootedAt(host);
  return {
    version: version ? versionText(version) : 'unknown',
    resources: resources.map((one) => resource(one, statistics, speedsIn(proc ?? ''), log, clock)),
  };
}

const isAlone = ({ connections }: Resource): boolean =>
  connections.some(({ state }) => state !== 'Connected');

const namesIn = (text: string): readonly string[] => [
  ...new Set([...text.matchAll(/^exists resource (?:.* )?name:(\S+)/gm)].map(([, name = '']) => name)),
];

type Statistics = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** `exists device name:data volume:0 … size:393168`, `exists peer-device name:data peer-node-id:1 volume:0 … out-of-sync:0` */
function statisticsIn(text: string): Statistics {
  const found = new Map<string, ReadonlyMap<string, string>>();
  for (const line of text.split('\n')) {
    const [event, kind = '', ...words] = line.trim().split(/\s+/);
    if (event !== 'exists' || !/device$/.test(kind)) continue;
    const fields = new Map(
      words.map((word) => {
        const colon = word.indexOf(':');
        return [word.slice(0, colon), word.slice(colon + 1)] as const;
      }),
    );
    const peer = kind === 'peer-device' ? (fields.get('peer-node-id') ?? '') : '';
    found.set([fields.get('name'), fields.get('volume'), peer].join(' '), fields);
  }
  return found;
}

/** 8.4 tells speed and time left only here: `finish: 0:02:29 speed: 2,492 (2,492) want: 2,048 K/sec`, below its minor. */
function speedsIn(proc: string): ReadonlyMap<number, { readonly rate: number; readonly left: number }> {
  const found = new Map<number, { rate: number; left: number }>();
  let minor = -1;
  for (const line of proc.split('\n')) {
    const begun = /^\s*(\d+): cs:/.exec(line)?.[1];
    if (begun !== undefined) minor = Number(begun);
    const [, hours, minutes, seconds, speed] = /finish: (\d+):(\d\d):(\d\d) speed: ([\d,]+)/.exec(line) ?? [];
    if (speed === undefined) continue;
    found.set(minor, {
      rate: Number(speed.replaceAll(',', '')),
      left: Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds),
    });
  }
  return found;
}

const numberOf = (text: string | undefined): number | null => {
  const value = text === undefined ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : null;
};

function resource(
  found: Resource,
  statistics: Statistics,
  speeds: ReturnType<typeof speedsIn>,
  log: Known<string>,
  bootedAtMs: number | null,
): DrbdResource {
  const { name, role, suspended, devices, connections } = found;
  const peerIds = [...statistics.keys()]
    .map((key) => key.split(' '))
    .filter(([of, , peer]) => of === name && peer !== '')
    .map(([, , peer = '']) => peer);
  const ids = [...new Set(peerIds)].sort((one, other) => Number(one) - Number(other));
  const news = log.is === 'known' ? splitBrainIn(log.value, found).unresolved : [];
  const primary = log.is === 'known' ? lastPrimaryTime(log.value, found) : undefined;
  const moment = (second: number | null) =>
    second === null || bootedAtMs === null ? null : Math.round(bootedAtMs + second * 1000);
  return {
    name,
    role,
    suspended,
    lastPrimary: primary ? { from: moment(primary.from), until: moment(primary.until) } : null,
    volumes: devices.map(({ volume, minor, disk, client, quorum }) => {
      const sizeKiB = numberOf(statistics.get(`${name} ${volume} `)?.get('size'));
      return { volume, minor, disk, client, quorum, sizeKiB };
    }),
    peers: connections.map((connection, index) => {
      const lost = connection.state !== 'Connected';
      const split = lost ? news.find(({ peer }) => peer === '' || peer === connection.peer) : undefined;
      const alone = split && log.is === 'known' ? changedAlone(log.value, found, connection.peer) : undefined;
      return {
        name: connection.peer === 'peer' ? null : connection.peer,
        connection: connection.state,
        role: connection.role,
        splitBrain: split
          ? {
              hereKiB: alone?.hereKiB ?? null,
              thereKiB: alone?.thereKiB ?? null,
              generationHere: split.here || null,
              generationThere: split.there || null,
              foundAt: moment(alone?.second ?? null),
            }
          : null,
        volumes: connection.devices.map(({ volume, replication, disk, client, done }) => {
          const fields = statistics.get(`${name} ${volume} ${ids[index] ?? ''}`);
          const speed = speeds.get(devices.find((device) => device.volume === volume)?.minor ?? -1);
          const size = numberOf(statistics.get(`${name} ${volume} `)?.get('size'));
          const outOfSyncKiB = numberOf(fields?.get('out-of-sync'));
          const mebibytes = numberOf(fields?.get('dbdt1'));
          return {
            volume,
            replication,
            disk,
            client,
            outOfSyncKiB,
            donePercent:
              done ?? numberOf(fields?.get('done')) ?? (speed ? partDone(size, outOfSyncKiB) : null),
            rateKiBPerSecond: mebibytes === null ? (speed?.rate ?? null) : Math.round(mebibytes * 1024),
            leftSeconds: numberOf(fields?.get('eta')) ?? speed?.left ?? null,
          };
        }),
      };
    }),
  };
}

/** 8.4's events2 does not say how far it is. */
const partDone = (size: number | null, outOfSync: number | null): number | null =>
  size && outOfSync !== null ? Math.floor((1000 * (size - outOfSync)) / size) / 10 : null;

const kernelLog = (host: Host): Promise<Known<string>> =>
  tryToKnow(async () => host.run(['dmesg'], { timeoutMs: 3000 }));

/** Milliseconds since 1970. */
async function bootedAt(host: Host): Promise<number | null> {
  const uptime = await readIfThere(host, '/proc/uptime');
  const seconds = Number.parseFloat(uptime ?? '');
  return Number.isNaN(seconds) ? null : Date.now() - seconds * 1000;
}
