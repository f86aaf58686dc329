import type { Event } from '../history/event.ts';
import type { Incident, Pause } from '../history/incidents.ts';
import { eventReason, eventWord, pauseSpan, span } from '../history/sentence.ts';
import { historyWords } from '../history/words.ts';
import type { Language } from '../output/terminal.ts';
import { clock } from '../output/units.ts';
import type { DrbdChange } from './gather.ts';
import { type Html, html } from './html.ts';
import type { ReportWords } from './words.ts';

/** What the picture is made of. */
export type TimelineFacts = {
  readonly incident: Incident;
  /** Events of the whole time that is known: what ran before is told by them. */
  readonly before: readonly Event[];
  readonly nodes: readonly string[];
  readonly self: string;
  readonly resources: readonly string[];
  readonly drbd: readonly DrbdChange[];
};

type Bar = {
  readonly from: number;
  readonly until: number;
  readonly kind: string;
  readonly label: string;
  readonly title: string;
};
type Lane = { readonly label: string; readonly bands: readonly Bar[]; readonly bars: readonly Bar[] };
type Section = { readonly title: string; readonly lanes: readonly Lane[] };

/** Wide has the labels beside the lanes, narrow above them. */
export type Shape = { readonly name: 'wide' | 'narrow'; readonly width: number };
export const shapes: readonly Shape[] = [
  { name: 'wide', width: 1000 },
  { name: 'narrow', width: 360 },
];

/** Both nodes' actions, and what clients and DRBD saw of them, on one axis. */
export function timeline(facts: TimelineFacts, shape: Shape, language: Language, words: ReportWords): Html {
  const { incident } = facts;
  const length = Math.max(1000, incident.until - incident.from);
  // DRBD may have noticed before the cluster did
  const early = facts.drbd.find(({ at }) => at < incident.from && at > incident.from - drbdAheadMs);
  const [from, until] = [(early?.at ?? incident.from) - length * 0.04, incident.until + length * 0.08];
  const isWide = shape.name === 'wide';
  const left = isWide ? 128 : 8;
  const right = shape.width - (isWide ? 16 : 8);
  const x = (at: number) =>
    left + ((Math.min(until, Math.max(from, at)) - from) / (until - from)) * (right - left);
  const sections = sectionsOf(facts, from, until, language, words);
  const [laneHeight, headHeight] = isWide ? [24, 26] : [36, 26];
  let y = 34;
  const parts: Html[] = [];
  for (const { title, lanes } of sections) {
    parts.push(html`<text class="section" x="${isWide ? 0 : left}" y="${y + 17}">${title}</text>`);
    y += headHeight;
    for (const lane of lanes) {
      parts.push(laneOf(lane, y, isWide ? 0 : 15));
      y += laneHeight;
    }
    y += 6;
  }
  const height = y + 4;
  const step = stepFor(length, isWide ? 8 : 4);
  const ticks: number[] = [];
  for (let offset = 0; offset <= until - incident.from; offset += step) ticks.push(offset);
  const hatch = `hatch-${shape.name}`;
  return html`<svg class="${shape.name}" viewBox="0 0 ${shape.width} ${height}" role="img" aria-label="${words.timeline}" xmlns="http://www.w3.org/2000/svg">
<defs><pattern id="${hatch}" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="hatch-ground" width="6" height="6"/><rect class="hatch-line" width="2" height="6"/></pattern></defs>
${ticks.map(
  (offset) =>
    html`<line class="grid" x1="${round(x(incident.from + offset))}" x2="${round(x(incident.from + offset))}" y1="24" y2="${height}"/><text class="${x(incident.from + offset) < 40 ? 'tick first' : 'tick'}" x="${round(x(incident.from + offset))}" y="16">${offset === 0 ? clock(incident.from, incident.from) : `+${offset / 1000} s`}</text>`,
)}
${parts}</svg>`;

  function laneOf({ label, bands, bars }: Lane, top: number, drop: number): Html {
    const middle = top + drop + 10;
    const shown = bars.map((bar, index) => {
      const [start, width] = [x(bar.from), Math.max(3, x(bar.until) - x(bar.from))];
      const next = bars[index + 1];
      const room = (next ? x(next.from) : right) - (start + width) - 6;
      const fits = columns(bar.label) * 6.2 < room;
      const inside = !fits && columns(bar.label) * 6.2 < width - 8;
      const before = !fits && !inside && index === 0 && columns(bar.label) * 6.2 < start - left - 6;
      const text = fits
        ? html`<text class="value" x="${round(start + width + 4)}" y="${middle + 4}">${bar.label}</text>`
        : inside
          ? html`<text class="value inside" x="${round(start + 5)}" y="${middle + 4}">${bar.label}</text>`
          : before
            ? html`<text class="value end" x="${round(start - 4)}" y="${middle + 4}">${bar.label}</text>`
            : null;
      return html`<g class="bar"><title>${bar.title}</title><rect class="${bar.kind}" x="${round(start)}" y="${middle - 7}" width="${round(width)}" height="14" rx="2"/>${text}</g>`;
    });
    const ground = bands.map((band) => {
      const width = Math.max(0, x(band.until) - x(band.from));
      const rect = html`<rect class="band ${band.kind}" ${band.kind === 'wait' || band.kind === 'unsure' ? html`fill="url(#${`hatch-${shape.name}`})" ` : null}x="${round(x(band.from))}" y="${middle - (isTall(band.kind) ? 8 : 1.5)}" width="${round(width)}" height="${isTall(band.kind) ? 16 : 3}"/>`;
      const fits = band.label !== '' && columns(band.label) * 6.6 < width - 10;
      return html`<g><title>${band.title}</title>${rect}${fits ? html`<text class="value on-${band.kind}" x="${round(x(band.from) + 6)}" y="${middle + 4}">${band.label}</text>` : null}</g>`;
    });
    const name = isWide
      ? html`<text class="lane" x="${left - 10}" y="${middle + 4}">${short(label, 18)}</text>`
      : html`<text class="lane above" x="${left}" y="${top + 12}">${short(label, 50)}</text>`;
    return html`${name}${ground}${shown}
`;
  }
}

/** What DRBD tells so long before belongs to the story. */
const drbdAheadMs = 15_000;

const isTall = (kind: string): boolean => kind !== 'runs';
const round = (value: number): number => Math.round(value * 10) / 10;
/** Chinese characters are twice as wide. */
const columns = (text: string): number => [...text].reduce((sum, sign) => sum + (sign > '\u2e7f' ? 2 : 1), 0);
const short = (text: string, most: number): string =>
  text.length > most ? `${text.slice(0, most - 1)}…` : text;

const steps: readonly number[] = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600];
const stepFor = (length: number, most: number): number =>
  1000 *
  (steps.find((step) => length / 1000 / step <= most) ?? Math.ceil(length / 1000 / most / 3600) * 3600);

function sectionsOf(
  facts: TimelineFacts,
  from: number,
  until: number,
  language: Language,
  words: ReportWords,
): readonly Section[] {
  const { nodes, incident } = facts;
  return [
    ...(incident.pauses.length > 0
      ? [
          {
            title: words.clients,
            lanes: incident.pauses.map((pause) => clientLane(pause, from, until, words)),
          },
        ]
      : []),
    ...nodes.map((node) => ({ title: node, lanes: nodeLanes(node, facts, from, until, language, words) })),
  ];
}

function clientLane(pause: Pause, from: number, until: number, words: ReportWords): Lane {
  const { service, downAt, noticedAt, upAt, ms } = pause;
  const began = Math.min(downAt ?? Number.POSITIVE_INFINITY, noticedAt ?? Number.POSITIVE_INFINITY);
  const known = Number.isFinite(began) ? began : (upAt ?? until);
  const wasServed = Number.isFinite(began);
  const band = (kind: string, start: number, end: number, label: string): Bar => ({
    ...{ from: start, until: end, kind, label, title: label },
  });
  return {
    label: service,
    bands: [
      ...(wasServed
        ? [
            noticedAt === null
              ? band('served', from, known, words.served)
              : band('unsure', from, known, words.unknownUntilNoticed),
          ]
        : []),
      ...(wasServed
        ? [
            band(
              'wait',
              known,
              upAt ?? until,
              ms === null ? words.waiting : `${words.waiting} ${pauseSpan(pause)}`,
            ),
          ]
        : []),
      ...(upAt === null ? [] : [band('served', upAt, until, words.served)]),
    ],
    bars: [],
  };
}

function nodeLanes(
  node: string,
  { incident, before, resources, self, drbd }: TimelineFacts,
  from: number,
  until: number,
  language: Language,
  words: ReportWords,
): readonly Lane[] {
  const own = incident.events.filter((event) => event.node === node);
  const goneAt = own.find(({ kind, action }) => kind === 'node' && action === 'lost')?.at ?? null;
  const told = historyWords(language);
  const cluster = own
    .filter(({ kind }) => kind === 'node' || kind === 'fencing' || kind === 'split-brain')
    .map((event): Bar => {
      const label = eventWord(event, told);
      const title = `${label} ${eventReason(event)}`.trim();
      return { from: event.at, until: event.at, kind: event.failed ? 'failed' : 'mark', label, title };
    });
  const named = [
    ...resources,
    ...new Set(own.flatMap(({ resource }) => (resource && !resources.includes(resource) ? [resource] : []))),
  ];
  const lanes = named.flatMap((resource): readonly Lane[] => {
    const actions = own.filter((event) => event.kind === 'action' && event.resource === resource);
    const earlier = before.filter(
      (event) =>
        event.kind === 'action' &&
        event.node === node &&
        event.resource === resource &&
        event.at < incident.from,
    );
    const served = incident.pauses.some((pause) => pause.from === node && pause.noticedAt !== null);
    const bands = runningBands(actions, earlier, from, Math.min(until, goneAt ?? until), served, words);
    if (actions.length === 0 && bands.length === 0) return [];
    return [{ label: resource, bands, bars: actions.map(barOf) }];
  });
  return [
    ...(cluster.length > 0 ? [{ label: words.inCluster, bands: [], bars: cluster }] : []),
    ...drbdLanes(node === self, drbd, from, until, words),
    ...lanes,
  ];
}

/** The bar of an action, as long as it took. */
function barOf(event: Event): Bar {
  const { action, failed, ms, beganAt, at } = event;
  const kind = failed ? 'failed' : action === 'start' || action === 'promote' ? 'up' : 'down';
  const label = `${failed ? '✗ ' : ''}${action}${ms === null ? '' : ` ${span(ms)}`}`;
  const reason = eventReason(event);
  return {
    from: beganAt ?? at,
    until: at,
    kind,
    label,
    title: `${event.resource} ${label}${reason === '' ? '' : `: ${reason}`}`,
  };
}

/** While it ran: between a start and a stop, and before the first stop. */
function runningBands(
  actions: readonly Event[],
  earlier: readonly Event[],
  from: number,
  until: number,
  /** It is where the service died: its parts ran there, whoever has told of their start. */
  served: boolean,
  words: ReportWords,
): readonly Bar[] {
  const change = ({ action, failed }: Event) => !failed && (action === 'start' || action === 'stop');
  const last = earlier.filter(change).at(-1);
  const first = actions.filter(change)[0];
  // what is demoted, promoted or watched was there
  const isThere = served || actions.some(({ action }) => /^(demote|promote|monitor)$/.test(action));
  const before = first ? first.action === 'stop' : served || (last ? last.action === 'start' : isThere);
  let since: number | null = before ? from : null;
  const bands: Bar[] = [];
  const band = (end: number) => {
    if (since !== null && end > since)
      bands.push({ from: since, until: end, kind: 'runs', label: '', title: words.runs });
  };
  for (const event of actions.filter(change)) {
    if (event.action === 'start') since ??= event.at;
    else {
      band(event.beganAt ?? event.at);
      since = null;
    }
  }
  band(until);
  return bands;
}

/** Its role by the kernel of the node that reports: its own, and what it saw of the other one. */
function drbdLanes(
  isSelf: boolean,
  drbd: readonly DrbdChange[],
  from: number,
  until: number,
  words: ReportWords,
): readonly Lane[] {
  const of = isSelf ? 'role' : 'peer-role';
  const names = [...new Set(drbd.map(({ resource }) => resource))];
  return names.flatMap((resource): readonly Lane[] => {
    const changes = drbd.filter((one) => one.resource === resource && one.of === of && one.from !== one.to);
    const within = changes.filter(({ at }) => at >= from && at <= until);
    const before = changes.findLast(({ at }) => at < from);
    let role = within[0]?.from ?? before?.to ?? null;
    if (role === null) return [];
    const bands: Bar[] = [];
    let since = from;
    const add = (end: number) => {
      const kind = role === 'Primary' ? 'primary' : role === 'Secondary' ? 'secondary' : 'unsure';
      bands.push({ from: since, until: end, kind, label: role ?? '', title: `${resource} ${role}` });
    };
    for (const change of within) {
      add(change.at);
      since = change.at;
      role = change.to;
    }
    add(until);
    return [{ label: `${words.drbd} ${resource}`, bands, bars: [] }];
  });
}
