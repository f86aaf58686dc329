import { veil } from '../../lib/contract/secrets.ts';
import { hasSecondCopy, services } from '../facts/service.ts';
import { moment } from '../history/command.ts';
import type { Event } from '../history/event.ts';
import { type Incident, type Pause, serviceParts } from '../history/incidents.ts';
import {
  causeSentence,
  eventReason,
  eventWord,
  incidentSentence,
  pauseSpan,
  sourceSilent,
  sourceTold,
  span,
} from '../history/sentence.ts';
import { type HistoryWords, historyWords } from '../history/words.ts';
import { commandsOf, sentenceOf } from '../output/findings.ts';
import type { Language } from '../output/terminal.ts';
import { clock, dayAndTime } from '../output/units.ts';
import { say } from '../output/words.ts';
import type { DrbdChange, ReportFacts } from './gather.ts';
import { type Html, html, nothing } from './html.ts';
import { style } from './style.ts';
import { shapes, timeline } from './timeline.ts';
import { type ReportWords, reportWords } from './words.ts';

/** No script, no picture, no font from anywhere: nothing on this page can ask for anything. */
const policy = "default-src 'none'; style-src 'unsafe-inline'";

/** The whole page. It is XML as well, so that a parser can say whether it is well-formed. */
export function reportPage(report: ReportFacts, language: Language, archive: string): string {
  const words = reportWords(language);
  const { facts, incident, history } = report;
  const { time, node } = facts;
  const name = (facts.cluster.is === 'known' ? facts.cluster.value.name : null) ?? node;
  const title = say(words.title, { name });
  const told = historyWords(language);
  const sentence = incident
    ? incidentSentence(incident, told)
    : say(words.nothing, { when: clock(history.since, time) });
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const page = html`<html lang="${language === 'zh' ? 'zh-CN' : 'en'}" xmlns="http://www.w3.org/1999/xhtml">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta http-equiv="Content-Security-Policy" content="${policy}"/>
<meta name="robots" content="noindex"/>
<title>${title}</title>
<style>${styleText}</style>
</head>
<body>
<main>
<header>
<p class="eyebrow">${title}</p>
<h1>${sentence}</h1>
${incident ? html`<p>${say(words.between, { from: dateAndTime(incident.from), until: moment({ at: incident.until, exact: true }).slice(0, 8) })}</p>` : nothing}
<p>${say(words.written, { when: dateAndTime(time), node, zone })}</p>
</header>
${incident ? story(report, incident, language, words) : nothing}
${now(report, language, words)}
${others(report, language, words)}
${sources(report, language, words, archive)}
</main>
</body>
</html>
`;
  return `<!doctype html>\n${page.markup}`;
}

/** Written by us, and the only text that stands on the page as it is. */
const styleText: Html = Object.assign(html``, { markup: style });

const dateAndTime = (at: number): string =>
  `${new Date(at).getFullYear()}-${two(new Date(at).getMonth() + 1)}-${two(new Date(at).getDate())} ${dayAndTime(at)}`;
const two = (number: number): string => String(number).padStart(2, '0');

function story(report: ReportFacts, incident: Incident, language: Language, words: ReportWords): Html {
  const { facts, history, resources, drbd } = report;
  const known = facts.cluster.is === 'known' ? facts.cluster.value.nodes.map((one) => one.name) : [];
  const nodes = [...new Set([...known, ...incident.events.map((event) => event.node)])]
    .filter(Boolean)
    .sort();
  const picture = {
    ...{ incident, before: history.events, nodes, self: facts.node, resources, drbd },
  };
  return html`${tiles(report, incident, historyWords(language), words)}
<h2>${words.timeline}</h2>
<figure>
${shapes.map((shape) => timeline(picture, shape, language, words))}
<figcaption><span><i class="key-up"></i>${words.legendUp}</span><span><i class="key-down"></i>${words.legendDown}</span><span><i class="key-failed"></i>${words.legendFailed}</span><span><i class="key-runs"></i>${words.legendRuns}</span><span><i class="key-wait"></i>${words.legendWait}</span>${drbd.length > 0 ? html`<span>${say(words.asSeen, { node: facts.node })}</span>` : nothing}</figcaption>
</figure>
<div class="columns">
<section>
<h2>${words.whatClientsSaw}</h2>
${clients(report, incident, words)}
</section>
<section>
<h2>${words.notKnownTitle}</h2>
<ul>
${unknowns(report, incident, words).map(
  (text) => html`<li>${text}</li>
`,
)}</ul>
</section>
</div>
<h2>${words.steps}</h2>
${steps(incident, language, words)}
${drbdPart(report, incident, words)}`;
}

function tiles({ facts }: ReportFacts, incident: Incident, told: HistoryWords, words: ReportWords): Html {
  const { pauses } = incident;
  const cluster = facts.cluster.is === 'known' ? facts.cluster.value : null;
  const served = cluster ? services(cluster) : null;
  const copy = hasSecondCopy(facts);
  const [pause] = pauses;
  const tile = (label: string, value: string, note: string, mark = ''): Html =>
    html`<li class="${mark}"><span>${label}</span><strong>${value}</strong>${note === '' ? nothing : html`<small>${note}</small>`}</li>
`;
  const first = served?.[0];
  const isServed = served !== null && served.length > 0 && served.every(({ state }) => state === 'served');
  return html`<ul class="tiles">
${tile(words.clientsWaited, waited(pause, words), pause?.ms == null ? '' : pause.noticedAt === null ? words.byDown : words.byNoticed, pause && pause.ms === null ? 'bad' : '')}${tile(
  words.serviceNow,
  served === null
    ? words.notKnown
    : isServed
      ? say(words.servedBy, { node: first?.node ?? '?' })
      : words.notServed,
  first?.name ?? '',
  served !== null && !isServed ? 'bad' : '',
)}${tile(words.secondCopy, copy === null ? words.notKnown : copy ? words.there : words.missing, '', copy === false ? 'bad' : '')}${tile(
  words.began,
  beginning(incident, told),
  incident.node === null ? '' : [incident.resource, incident.node].filter(Boolean).join(', '),
  'reason',
)}</ul>`;
}

/** In the words of whoever told of it first. */
function beginning({ cause, reason, events, ...rest }: Incident, told: HistoryWords): string {
  if (cause === 'failure') return reason;
  const [first] = events;
  return ['node-lost', 'fenced', 'split-brain'].includes(cause) || !first
    ? causeSentence({ cause, reason, events, ...rest }, told)
    : eventWord(first, told);
}

function waited(pause: Pause | undefined, words: ReportWords): string {
  if (!pause) return words.notAffected;
  const time = pauseSpan(pause);
  if (time === null) return words.notBack;
  return pause.noticedAt === null ? time : say(words.atLeast, { time });
}

function clients(
  { facts, history, drbd }: ReportFacts,
  { pauses, events, until }: Incident,
  words: ReportWords,
): Html {
  if (pauses.length === 0) return html`<p>${words.noPause}</p>`;
  const parts = serviceParts(history.cib);
  const at = (time: number, exact = true) => moment({ at: time, exact });
  const lines = pauses.flatMap((pause): readonly (readonly [number, string])[] => {
    const addresses = parts.find(({ name }) => name === pause.service)?.addresses ?? [];
    const moves = events.filter(
      ({ kind, failed, resource, action }) =>
        kind === 'action' &&
        !failed &&
        resource !== null &&
        addresses.includes(resource) &&
        /^(start|stop)$/.test(action),
    );
    const node = pause.from ?? '?';
    const silence = drbd.find(
      (one) =>
        one.of === 'connection' &&
        one.from === 'Connected' &&
        pause.noticedAt !== null &&
        Math.abs(one.at - pause.noticedAt) < 30_000,
    );
    return [
      ...(silence && facts.node !== pause.from
        ? [[silence.at, say(words.drbdLost, { time: at(silence.at), node: facts.node })] as const]
        : []),
      ...(pause.noticedAt === null
        ? []
        : [[pause.noticedAt, say(words.noticed, { time: at(pause.noticedAt), node })] as const]),
      ...(pause.downAt === null || pause.noticedAt !== null
        ? []
        : [[pause.downAt, say(words.downFirst, { time: at(pause.downAt), node })] as const]),
      ...moves.map(
        (event) =>
          [
            event.at,
            say(event.action === 'stop' ? words.addressDown : words.addressUp, {
              time: moment(event),
              resource: event.resource ?? '',
              node: event.node,
            }),
          ] as const,
      ),
      pause.upAt === null
        ? ([until, say(words.stillDown, { time: at(until) })] as const)
        : ([pause.upAt + 0.1, say(words.upAgain, { time: at(pause.upAt), node: pause.to ?? '?' })] as const),
    ];
  });
  const counted = countNow(facts, words);
  return html`<ul>
${lines
  .toSorted(([one], [other]) => one - other)
  .map(
    ([, text]) => html`<li>${text}</li>
`,
  )}${
  counted === null
    ? nothing
    : html`<li>${counted}</li>
`
}</ul>`;
}

/** Null where this node does not serve. */
function countNow({ nfs, node, cluster }: ReportFacts['facts'], words: ReportWords): string | null {
  const isHere = cluster.is === 'known' && services(cluster.value).some((one) => one.node === node);
  if (!isHere || nfs.is === 'unknown' || nfs.value.clients.is === 'unknown') return null;
  const { clients: count, grace } = nfs.value;
  const period =
    grace.is === 'unknown' ? words.notKnown : grace.value === 'over' ? words.graceOver : words.graceRunning;
  return say(words.clientsNow, { v4: count.value.v4, others: count.value.others, node, grace: period });
}

function unknowns(report: ReportFacts, { pauses, cause }: Incident, words: ReportWords): readonly string[] {
  const { facts, history, tokenMs } = report;
  const peers =
    facts.cluster.is === 'known'
      ? facts.cluster.value.nodes.map(({ name }) => name).filter((name) => name !== facts.node)
      : [];
  const token = tokenMs === null ? '' : say(words.token, { ms: tokenMs });
  const told = historyWords(words === reportWords('zh') ? 'zh' : 'en');
  return [
    ...(pauses.some(({ noticedAt }) => noticedAt !== null)
      ? [say(words.notKnownBefore, { token: cause === 'failure' ? words.monitorInterval : token })]
      : []),
    ...(pauses.length > 0 ? [words.notKnownClients] : []),
    ...(pauses.length > 0 && countNow(facts, words) === null ? [words.notKnownCount] : []),
    ...(facts.drbd.is === 'known' && facts.drbd.value.resources.length > 0
      ? peers.map((node) => say(words.notKnownLog, { node }))
      : []),
    ...history.sources.filter(({ why }) => why !== null).map((source) => sourceSilent(source, told)),
  ];
}

function steps({ events, from }: Incident, language: Language, words: ReportWords): Html {
  const told = historyWords(language);
  const row = (
    event: Event,
  ): Html => html`<tr${event.failed ? html` class="failed"` : nothing}><td class="time">${moment(event)}</td><td class="number after">+${((event.at - from) / 1000).toFixed(1)} s</td><td class="node">${event.node}</td><td class="resource">${event.resource ?? ''}</td><td class="action">${event.failed ? '✗ ' : ''}${eventWord(event, told)}</td><td class="number took">${event.ms === null ? '' : span(event.ms)}</td><td class="reason">${eventReason(event)}</td></tr>
`;
  return html`<div class="scroll"><table class="steps">
<thead><tr><th>${words.time}</th><th class="number">${words.after}</th><th>${words.node}</th><th>${words.resource}</th><th>${words.action}</th><th class="number">${words.took}</th><th>${words.reason}</th></tr></thead>
<tbody>
${events.map(row)}</tbody></table></div>
${events.some(({ exact }) => !exact) ? html`<p class="soft">${words.wholeSeconds}</p>` : nothing}`;
}

function drbdPart({ facts, drbd }: ReportFacts, { from, until }: Incident, words: ReportWords): Html {
  if (facts.drbd.is === 'known' && facts.drbd.value.resources.length === 0 && drbd.length === 0)
    return nothing;
  const { node } = facts;
  const within = drbd.filter(({ at }) => at >= from - 10_000 && at <= until + 10_000);
  const names = (of: DrbdChange['of']): string =>
    ({
      role: say(words.role, { node }),
      'peer-role': words.peerRole,
      disk: say(words.disk, { node }),
      'peer-disk': words.peerDisk,
      connection: words.connection,
      replication: words.replication,
    })[of];
  const states =
    facts.drbd.is === 'unknown'
      ? html`<p>${say(words.drbdUnknown, { why: facts.drbd.why })}</p>`
      : html`<ul>
${facts.drbd.value.resources.map(
  ({ name, role, volumes, peers }) =>
    html`<li><strong>${name}</strong>: ${role}, ${[...new Set(volumes.map(({ disk }) => disk))].join(', ')}${peers.map(
      (peer) =>
        html`; ${words.connection}: ${peer.connection}, ${peer.role}, ${[...new Set(peer.volumes.map(({ disk }) => disk))].join(', ')}`,
    )}</li>
`,
)}</ul>`;
  return html`<h2>${words.drbdTitle}</h2>
<h3>${words.drbdNow}</h3>
${states}
<h3>${say(words.drbdChanges, { node })}</h3>
${
  within.length === 0
    ? html`<p class="soft">${words.drbdNone}</p>`
    : html`<div class="scroll"><table>
<thead><tr><th>${words.time}</th><th>${words.resource}</th><th>${words.what}</th><th></th></tr></thead>
<tbody>
${within.map(
  ({ at, resource, of, from: before, to }) =>
    html`<tr><td class="time">${moment({ at, exact: true })}</td><td>${resource}</td><td>${names(of)}</td><td>${before} → <strong>${to}</strong></td></tr>
`,
)}</tbody></table></div>`
}`;
}

function now({ facts, findings }: ReportFacts, language: Language, words: ReportWords): Html {
  const table =
    facts.cluster.is === 'unknown'
      ? html`<p>${say(words.clusterUnknown, { why: facts.cluster.why })}</p>`
      : html`<div class="scroll"><table>
<thead><tr><th>${words.node}</th><th>${words.clusterState}</th><th>${words.standby}</th></tr></thead>
<tbody>
${facts.cluster.value.nodes.map(
  ({ name, online, standby, isDc, unclean }) =>
    html`<tr><td><strong>${name}</strong></td><td>${online ? words.online : words.offline}${isDc ? ', DC' : ''}${unclean ? ', UNCLEAN' : ''}</td><td>${standby}</td></tr>
`,
)}</tbody></table></div>`;
  return html`<h2>${words.now}</h2>
${table}
<h3>${words.findings}</h3>
${
  findings.length === 0
    ? html`<p>${words.noFindings}</p>`
    : html`<ul>
${findings.map(
  (finding) => html`<li><strong>${finding.code}</strong> ${sentenceOf(finding, language)}${commandsOf(finding)
    .slice(0, 1)
    .map((command) => html`<br/><code>${command}</code>`)}</li>
`,
)}</ul>`
}`;
}

function others(
  { incidents, incident, history, facts }: ReportFacts,
  language: Language,
  words: ReportWords,
): Html {
  const rest = incidents.filter((one) => one !== incident).slice(-20);
  if (rest.length === 0) return nothing;
  return html`<h2>${say(words.others, { when: clock(history.since, facts.time) })}</h2>
<ul>
${rest.map(
  (
    one,
  ) => html`<li><span class="soft">${dateAndTime(one.from)}</span> ${incidentSentence(one, historyWords(language))}</li>
`,
)}</ul>`;
}

function sources(
  { history, secrets }: ReportFacts,
  language: Language,
  words: ReportWords,
  archive: string,
): Html {
  const told = historyWords(language);
  return html`<h2>${words.sources}</h2>
<ul>
${history.sources.map(
  (
    source,
  ) => html`<li>${source.why === null ? sourceTold(source, told) : say(words.notTold, { text: sourceSilent(source, told) })}</li>
`,
)}${
  secrets > 0
    ? html`<li>${say(words.masked, { count: secrets, veil })}</li>
`
    : nothing
}<li>${say(words.facts, { file: archive })}</li>
</ul>`;
}
