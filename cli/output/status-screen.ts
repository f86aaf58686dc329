import type { Code } from '../../lib/findings/catalogue.ts';
import type { Finding } from '../../lib/findings/finding.ts';
import type { Cluster, ClusterNode } from '../facts/cluster.ts';
import type { DrbdResource, Peer } from '../facts/drbd.ts';
import type { Facts } from '../facts/gather.ts';
import { peerLabel } from '../facts/peers.ts';
import {
  canTakeOver,
  clusterRole,
  hasSecondCopy,
  leaderOf,
  type Replicated,
  replicated,
  type Service,
  services,
} from '../facts/service.ts';
import { endingFor, findingLines, worstFirst } from './findings.ts';
import { columnsOf, harmless, type Terminal, table } from './terminal.ts';
import { amount, clock, dayAndTime, duration } from './units.ts';
import { say, type Words, wordsIn } from './words.ts';

/** The one screen: the sentence that a tired operator needs, then the two nodes, then what to do. */
export function statusScreen(
  facts: Facts,
  findings: readonly Finding[],
  terminal: Terminal,
): readonly string[] {
  const words = wordsIn(terminal.language);
  const { cluster } = facts;
  return [
    headline(facts, findings, terminal, words),
    '',
    ...(cluster.is === 'known' ? nodeTable(facts, cluster.value, words) : []),
    ...replication(facts, terminal, words),
    ...(cluster.is === 'known' ? serviceLines(facts, cluster.value, terminal, words) : []),
    '',
    ...(findings.length === 0
      ? [terminal.paint.good(words.nothingToDo)]
      : worstFirst(findings).flatMap((finding) => findingLines(finding, terminal, 'short'))),
  ].map((line) => terminal.marks(line));
}

const urgency: readonly Service['state'][] = ['down', 'moving', 'off', 'served'];

/** What stands between clients and a node that Pacemaker believes to serve them; a node knows it of itself only. */
const heldUp: ReadonlySet<Code> = new Set([
  'WRITES_SUSPENDED',
  'DRBD_DOWN',
  'MOUNT_MISSING',
  'NFSD_DEAD',
  'ADDRESS_MISSING',
]);

/** The service that it stands before: the one that what was found belongs to, else one of that node. */
function heldUpIn(
  cluster: Cluster,
  all: readonly Service[],
  findings: readonly Finding[],
): Service | undefined {
  for (const { node, resource } of findings.filter(({ code }) => heldUp.has(code))) {
    const there = all.filter(({ at }) => at !== null && at === node);
    const isOf = (one: Service): boolean => {
      const leader = leaderOf(cluster, one);
      return [...one.members, leader?.id, leader?.name].includes(resource ?? '');
    };
    const found = there.find(isOf) ?? there[0];
    if (found) return found;
  }
  return undefined;
}

/** What clients get at this moment, of several services the worst. */
export function headline(
  facts: Facts,
  findings: readonly Finding[],
  { paint, width }: Pick<Terminal, 'paint' | 'width'>,
  words: Words,
): string {
  const { cluster, time } = facts;
  const [name, word, sentence, colour] = summary();
  const left = `${paint.bold(harmless(name))}  ${colour(word)}  ${harmless(sentence)}`;
  const gap = width === null ? 2 : Math.max(2, width - columnsOf(left) - dayAndTime(time).length);
  return `${left}${' '.repeat(gap)}${dayAndTime(time)}`;

  function summary(): readonly [string, string, string, (text: string) => string] {
    if (cluster.is === 'unknown') return ['tsha', words.unknown, words.notKnown, paint.warn];
    const title = cluster.value.name ?? cluster.value.cib.groups[0]?.id ?? 'cluster';
    const all = services(cluster.value).toSorted(
      (one, other) => urgency.indexOf(one.state) - urgency.indexOf(other.state),
    );
    const [worst] = all;
    if (!worst) return [title, words.off, words.noService, paint.dim];
    const unseen = findings.find(({ code }) => code === 'PRIMARY_UNSEEN')?.node;
    if (unseen && (worst.state === 'down' || worst.state === 'moving'))
      return [title, words.unknown, say(words.mayServe, { node: unseen, name: worst.name }), paint.bad];
    if (worst.state === 'down')
      return [title, words.down, say(words.nobodyServes, { name: worst.name }), paint.bad];
    if (worst.state === 'moving')
      return [title, words.moving, say(words.isMoving, { name: worst.name }), paint.warn];
    const held = heldUpIn(cluster.value, all, findings);
    if (held)
      return [title, words.down, say(words.isHeldUp, { node: held.at ?? '?', name: held.name }), paint.bad];
    if (worst.state === 'off') {
      const { name: service, at: node, missing, ticket } = worst;
      if (ticket !== null)
        return [title, words.off, say(words.hasNoTicket, { name: service, ticket }), paint.warn];
      if (node === null) return [title, words.off, say(words.isOff, { name: service }), paint.warn];
      const part = { node, name: service, resource: missing?.resource ?? '?' };
      return [title, words.degraded, say(words.isPartlyOff, part), paint.warn];
    }
    const since = worst.since === null ? '' : say(words.since, { when: clock(worst.since, time) });
    const names = all.filter(({ node }) => node === worst.node).map((one) => one.name);
    const who = say(words.serves, { node: worst.node ?? '?', name: names.join(', ') });
    const copy = hasSecondCopy(facts);
    const hasDrbd = replicated(cluster.value).length > 0;
    const isReady = canTakeOver(cluster.value, worst.node);
    const good = isReady ? words.withCopy : words.withIdleCopy;
    const copies = copy === null ? words.copyUnknown : copy ? good : words.withoutCopy;
    const ending = endingFor(findings);
    const isWell = ending === 'well' && ((copy === true && isReady) || !hasDrbd);
    const isUntold = ending === 'unknown' && copy !== false && isReady;
    return [
      title,
      isWell ? words.ok : isUntold ? words.unknown : words.degraded,
      `${who}${since}${hasDrbd ? copies : ''}`,
      isWell ? paint.good : paint.warn,
    ];
  }
}

function nodeTable(facts: Facts, cluster: Cluster, words: Words): readonly string[] {
  const drbds = replicated(cluster);
  const head = [
    '',
    words.node,
    words.cluster,
    ...(drbds.length > 0 ? [words.data, words.disk] : []),
    words.standby,
  ];
  const rows = cluster.nodes.map((node) => [
    '',
    `${harmless(node.name)}${services(cluster).some((one) => one.node === node.name) ? ' *' : ''}`,
    clusterWord(node, words),
    ...(drbds.length > 0 ? dataOf(facts, cluster, drbds, node) : []),
    node.standby === 'no' ? words.no : node.standby === 'forever' ? words.yes : words.untilReboot,
  ]);
  return [...table([head, ...rows]), ''];
}

function clusterWord({ online, pending, unclean, isDc }: ClusterNode, words: Words): string {
  if (unclean) return words.unclean;
  if (pending) return words.pending;
  return online ? `${words.online}${isDc ? words.dc : ''}` : words.offline;
}

const newWords: { readonly [role: string]: string } = { Promoted: 'Primary', Unpromoted: 'Secondary' };

/** Role and disk of a node: by the kernel here, by the peer's last word there, else only what the cluster believes. */
function dataOf(
  { drbd, node: self }: Facts,
  cluster: Cluster,
  drbds: readonly Replicated[],
  { name, online }: ClusterNode,
): readonly [string, string] {
  const each = drbds.map(({ id, name: resource }): readonly [string, string] => {
    const believed = clusterRole(cluster, id, name);
    const role = !online ? '-' : believed === null ? '-' : (newWords[believed] ?? believed);
    const seen = drbd.is === 'known' ? drbd.value.resources.find((one) => one.name === resource) : undefined;
    if (name === self)
      return seen ? [seen.role, disks(seen.volumes)] : [role, drbd.is === 'known' ? '-' : '?'];
    const peers = seen?.peers ?? [];
    const peer =
      peers.find((one) => one.name === name) ??
      (cluster.nodes.filter(({ isMember }) => isMember).length === 2 ? peers[0] : undefined);
    return peer?.connection === 'Connected'
      ? [peer.role, disks(peer.volumes)]
      : [role, role === '-' ? '-' : '?'];
  });
  const joined = (at: 0 | 1) => [...new Set(each.map((one) => one[at]))].join(',');
  return [joined(0), joined(1)];
}

const disks = (volumes: readonly { readonly disk: string }[]): string =>
  [...new Set(volumes.map(({ disk }) => disk))].join(',') || '-';

function replication(facts: Facts, { paint, width }: Terminal, words: Words): readonly string[] {
  const { drbd, node } = facts;
  if (drbd.is === 'unknown')
    return [`  ${words.replication}  ${paint.warn(words.notFoundOut)} (${harmless(drbd.why)})`];
  const several = drbd.value.resources.length > 1;
  return drbd.value.resources.flatMap((resource) =>
    resource.peers.map((peer) => {
      const label = several ? `${resource.name}: ` : '';
      return `  ${words.replication}  ${harmless(label + line(resource, peer))}`;
    }),
  );

  function line(resource: DrbdResource, peer: Peer): string {
    const other = peerLabel(facts, resource, peer);
    const syncing = peer.volumes.find(({ replication: word }) => /^Sync/.test(word));
    if (peer.connection !== 'Connected') {
      const found = peer.splitBrain?.foundAt;
      const since = found ? say(words.since, { when: clock(found, facts.time) }) : '';
      return `${node} ✗ ${other}  ${peer.connection}${since}`;
    }
    if (syncing) {
      const arrow = /Target$/.test(syncing.replication) ? '←' : '→';
      const done = syncing.donePercent;
      const bar =
        done === null ? '' : `${progressBar(done, Math.min(30, Math.max(10, (width ?? 80) - 60)))} ${done} %`;
      const rate = syncing.rateKiBPerSecond === null ? '' : `  ${amount(syncing.rateKiBPerSecond)}/s`;
      const left =
        syncing.leftSeconds === null ? '' : `  ${say(words.left, { left: duration(syncing.leftSeconds) })}`;
      return `${node} ${arrow} ${other}  ${bar}${rate}${left}`;
    }
    const states = [...new Set(peer.volumes.map(({ replication: word }) => word))].join(',');
    const isSame =
      states === 'Established' &&
      [...resource.volumes, ...peer.volumes].every(({ disk }) => disk === 'UpToDate');
    return isSame ? `${node} ✓ ${other}  ${words.connected}` : `${node} ! ${other}  ${states}`;
  }
}

const progressBar = (percent: number, columns: number): string => {
  const full = Math.round((Math.min(100, percent) / 100) * columns);
  return '█'.repeat(full) + '░'.repeat(columns - full);
};

function serviceLines(facts: Facts, cluster: Cluster, { paint }: Terminal, words: Words): readonly string[] {
  const lines = services(cluster).map(({ members, at }) => {
    const marks = members.map((id) => {
      const place = cluster.instances.find((one) => one.id === id && one.active) ?? null;
      const isWell = place?.role === 'Started' && place.node === at && !place.failed;
      return `${harmless(id)} ${isWell ? '✓' : paint.bad('✗')}`;
    });
    return `  ${words.service}      ${marks.join('  ')}`;
  });
  const { nfs } = facts;
  const isHere = services(cluster).some(({ at }) => at === facts.node);
  if (!isHere || nfs.is === 'unknown' || nfs.value.threads === 0) return lines;
  const { clients, grace } = nfs.value;
  const counted =
    clients.is === 'known'
      ? say(words.clientCounts, { v4: clients.value.v4, others: clients.value.others })
      : words.notFoundOut;
  const period =
    grace.is === 'unknown'
      ? words.notFoundOut
      : grace.value === 'over'
        ? words.graceOver
        : words.graceRunning;
  return [...lines, `  ${words.clients}      ${counted}   ${words.grace}: ${period}`];
}
