import type { Finding } from '../../lib/findings/finding.ts';
import type { Call } from '../command.ts';
import type { Ending } from '../exit.ts';
import type { Cluster } from '../facts/cluster.ts';
import type { Drbd } from '../facts/drbd.ts';
import { type Facts, gather } from '../facts/gather.ts';
import { orNull } from '../facts/known.ts';
import type { Nfs } from '../facts/nfs.ts';
import { hasSecondCopy, services } from '../facts/service.ts';
import { findingsNow } from '../findings/now.ts';
import { endingFor } from '../output/findings.ts';
import { envelope } from '../output/json.ts';
import { hasReader, print, printLines } from '../output/print.ts';
import type { StatusData } from '../output/schema.ts';
import { headline, statusScreen } from '../output/status-screen.ts';
import { wordsIn } from '../output/words.ts';

export type StatusOptions = { readonly watchSeconds: number | null };

const clearScreen = '\x1b[H\x1b[2J';

/** `tsha status`: how it is, worst first, and what to do next. */
export async function status(call: Call, { watchSeconds }: StatusOptions): Promise<Ending> {
  for (;;) {
    const facts = await gather(call.host, Date.now());
    const findings = findingsNow(facts);
    show(call, facts, findings, watchSeconds !== null);
    if (watchSeconds === null || !hasReader()) return endingFor(findings);
    await call.sys.sleep(watchSeconds * 1000);
  }
}

function show(
  { terminal, json, quiet }: Call,
  facts: Facts,
  findings: readonly Finding[],
  watching: boolean,
): void {
  if (json) {
    const { node, time } = facts;
    print(
      1,
      `${JSON.stringify(envelope({ kind: 'status', time, node, findings, data: statusData(facts) }))}\n`,
    );
    return;
  }
  if (quiet) {
    const line = headline(facts, findings, { ...terminal, width: null }, wordsIn(terminal.language));
    print(1, `${terminal.marks(line)}\n`);
    return;
  }
  if (watching && terminal.isTerminal) print(1, clearScreen);
  printLines(statusScreen(facts, findings, terminal));
  if (watching && !terminal.isTerminal) print(1, '\n');
}

const iso = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());

/** The facts under the names of the schema. */
export function statusData(facts: Facts): StatusData {
  const cluster = orNull(facts.cluster);
  const drbd = orNull(facts.drbd);
  const nfs = orNull(facts.nfs);
  return {
    cluster: cluster && clusterData(cluster),
    services:
      cluster &&
      services(cluster).map(({ id, name, state, node, since, members }) => ({
        ...{ id, name, state, node, since: iso(since), members: [...members] },
      })),
    secondCopy: hasSecondCopy(facts),
    nodes: cluster && nodesData(cluster),
    resources: cluster && resourcesData(cluster),
    drbd: drbd && drbdData(drbd),
    nfs: nfs && nfsData(nfs),
  };
}

const clusterData = ({ name, dc, version, hasQuorum, maintenance }: Cluster) => ({
  ...{ name, dc, version, hasQuorum, maintenance },
});

const nodesData = ({ nodes }: Cluster) =>
  nodes.map(({ name, online, pending, unclean, standby, maintenance, isDc }) => ({
    ...{ name, online, pending, unclean, standby, maintenance, isDc },
  }));

const resourcesData = ({ instances }: Cluster) =>
  instances.map(({ id, agent, role, node, active, failed, blocked, managed, pending }) => ({
    ...{ id, agent, role, node, active, failed, blocked, managed, pending },
  }));

const drbdData = ({ version, resources }: Drbd): NonNullable<StatusData['drbd']> => ({
  version,
  resources: resources.map(({ name, role, suspended, volumes, peers }) => ({
    name,
    role,
    suspended: [...suspended],
    volumes: volumes.map((volume) => ({ ...volume })),
    peers: peers.map((peer) => ({
      name: peer.name,
      connection: peer.connection,
      role: peer.role,
      splitBrain: peer.splitBrain && { ...peer.splitBrain, foundAt: iso(peer.splitBrain.foundAt) },
      volumes: peer.volumes.map((volume) => ({ ...volume })),
    })),
  })),
});

const nfsData = ({ threads, clients, grace }: Nfs): NonNullable<StatusData['nfs']> => ({
  threads,
  clientsV4: clients.is === 'known' ? clients.value.v4 : null,
  clientsOther: clients.is === 'known' ? clients.value.others : null,
  grace: orNull(grace),
});
