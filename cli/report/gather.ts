import type { Finding } from '../../lib/findings/finding.ts';
import { stateChangesIn } from '../../lib/host/drbd/state-changes.ts';
import { commandTrouble, type Host, uptime } from '../../lib/host/host.ts';
import { readIfThere } from '../../lib/host/local-files.ts';
import type { Argv } from '../../lib/host/sys/sys.ts';
import { version } from '../../metadata/version.ts';
import { alertFolder } from '../facts/alerts.ts';
import { cibText } from '../facts/cib-text.ts';
import { type Facts, gather } from '../facts/gather.ts';
import { orNull, tryToKnow } from '../facts/known.ts';
import { findingsNow } from '../findings/now.ts';
import { historyData } from '../history/command.ts';
import { gatherHistory, type History } from '../history/gather.ts';
import { type Incident, incidentsIn, mainIncident, serviceParts } from '../history/incidents.ts';
import { type Mask, maskFor, secretsIn } from './mask.ts';
import type { Part } from './tar.ts';

/** A change of DRBD's state, as this node's kernel saw it. */
export type DrbdChange = {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly resource: string;
  readonly of: 'role' | 'disk' | 'connection' | 'peer-role' | 'peer-disk' | 'replication';
  readonly from: string;
  readonly to: string;
};

/** Everything that the page says; secrets are masked already. */
export type ReportFacts = {
  readonly facts: Facts;
  readonly findings: readonly Finding[];
  readonly history: History;
  readonly incidents: readonly Incident[];
  readonly incident: Incident | null;
  /** In the order in which they start: DRBD, then the members of the group. */
  readonly resources: readonly string[];
  readonly drbd: readonly DrbdChange[];
  /** How long corosync waits before it takes a node for lost; null where it does not say. */
  readonly tokenMs: number | null;
  readonly secrets: number;
  readonly parts: readonly Part[];
};

export async function gatherReport(host: Host, since: number): Promise<ReportFacts> {
  const [facts, history, texts] = await Promise.all([
    gather(host, Date.now()),
    gatherHistory(host, since),
    textsOf(host),
  ]);
  const known = secretsIn(history.cib, texts.drbdConfiguration, texts.corosync);
  const [mask, secrets] = [maskFor(known), known.length];
  const clean = mask.all({ events: history.events, sources: history.sources });
  const told: History = { ...history, ...clean };
  const incidents = incidentsIn(told.events, serviceParts(history.cib));
  const findings = mask.all(findingsNow(facts));
  const log = texts.kernelLog;
  const bootedAt = Date.now() - (await uptime(host)) * 1000;
  const drbd = (facts.drbd.is === 'known' ? facts.drbd.value.resources : []).flatMap(({ name, volumes }) =>
    stateChangesIn(log, { name, devices: volumes }).map(({ second, of, from, to }) => ({
      ...{ at: Math.round(bootedAt + second * 1000), resource: name, of, from, to },
    })),
  );
  return {
    ...{ facts, findings, history: told, incidents, incident: mainIncident(incidents), drbd, secrets },
    resources: resourcesIn(facts),
    tokenMs: Number(/= (\d+)/.exec(texts.token)?.[1] ?? Number.NaN) || null,
    parts: partsOf(texts, told, incidents, mask),
  };
}

function resourcesIn({ cluster }: Facts): readonly string[] {
  const cib = orNull(cluster)?.cib;
  if (!cib) return [];
  const promotable = cib.clones.filter((clone) => clone.promotable).flatMap(({ members }) => members);
  return [...promotable, ...cib.groups.flatMap(({ members }) => members)];
}

type Texts = Awaited<ReturnType<typeof textsOf>>;

/** What the tar holds. What could not be had says why. */
async function textsOf(host: Host) {
  const said = async (argv: Argv): Promise<string> => {
    const output = await host.tryRun(argv, { timeoutMs: 10_000 });
    return output.code === 0 || output.stdout !== '' ? output.stdout : `(${commandTrouble(argv, output)})\n`;
  };
  const file = async (path: string): Promise<string> => {
    const text = await tryToKnow(() => readIfThere(host, path));
    return text.is === 'unknown' ? `(${text.why})\n` : (text.value ?? `(there is no ${path})\n`);
  };
  const [
    cib,
    crmMon,
    drbdNow,
    drbdConfiguration,
    log,
    token,
    corosync,
    nfs,
    pacemaker,
    drbdTools,
    kernel,
    alerts,
    before,
  ] = await Promise.all([
    tryToKnow(() => cibText(host)),
    said(['crm_mon', '--one-shot', '--inactive', '--show-node-attributes', '--failcounts', '--operations']),
    said(['drbdsetup', 'events2', '--now', '--statistics']),
    said(['drbdadm', 'dump', 'all']),
    said(['dmesg']),
    said(['corosync-cmapctl', '-g', 'runtime.config.totem.token']),
    file('/etc/corosync/corosync.conf'),
    file('/etc/nfs.conf'),
    said(['pacemakerd', '--version']),
    said(['drbdadm', '--version']),
    file('/proc/sys/kernel/osrelease'),
    file(`${alertFolder}/events.jsonl`),
    file(`${alertFolder}/events.jsonl.1`),
  ]);
  const cibTextOrWhy = cib.is === 'known' ? cib.value : `(${cib.why})\n`;
  return {
    ...{ cib: cibTextOrWhy, crmMon, drbdNow, drbdConfiguration, kernelLog: log, token, corosync, nfs },
    ...{ pacemaker, drbdTools, kernel, alerts, before },
  };
}

const drbdLine = /^(?:<\d+>)?\[ *[\d.]+\] (?:drbd|block drbd)/;

function partsOf(
  texts: Texts,
  history: History,
  incidents: readonly Incident[],
  mask: Mask,
): readonly Part[] {
  const lines = texts.kernelLog.split('\n').filter((line) => drbdLine.test(line));
  const versions = [`tsha ${version}`, texts.pacemaker, texts.drbdTools, `Linux ${texts.kernel}`];
  const plain: readonly (readonly [name: string, text: string])[] = [
    ['crm_mon.txt', texts.crmMon],
    ['drbd-now.txt', texts.drbdNow],
    ['drbd-configuration.txt', texts.drbdConfiguration],
    ['drbd-log.txt', `${lines.join('\n')}\n`],
    ['alerts.jsonl', texts.alerts],
    ['alerts-before.jsonl', texts.before],
    ['corosync.conf', texts.corosync],
    ['nfs.conf', texts.nfs],
    ['versions.txt', versions.map((one) => one.trimEnd()).join('\n')],
  ];
  return [
    { name: 'events.json', text: `${JSON.stringify(historyData(history, incidents), null, 1)}\n` },
    { name: 'cib.xml', text: mask.xml(texts.cib) },
    ...plain.map(([name, text]) => ({ name, text: mask.text(text) })),
  ];
}
