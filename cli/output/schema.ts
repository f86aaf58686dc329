import { z } from 'zod';
import { type Code, catalogue } from '../../lib/findings/catalogue.ts';

// The shape of everything that --json writes. Only added to: a field is never renamed, taken away or given another meaning.

const findingShape = z.object({
  code: z.enum(Object.keys(catalogue) as [Code, ...Code[]]),
  severity: z.enum(['danger', 'warning', 'hint', 'unknown']),
  node: z.string().nullable(),
  resource: z.string().nullable(),
  what: z.string(),
  facts: z.record(z.string(), z.string()),
  evidence: z.array(z.object({ source: z.string(), text: z.string() })),
  fix: z.array(z.string()),
  see: z.string(),
});

const moment = z.string().describe('ISO 8601, UTC').nullable();

const statusData = z.object({
  cluster: z
    .object({
      name: z.string().nullable(),
      dc: z.string().nullable(),
      version: z.string().nullable(),
      hasQuorum: z.boolean(),
      maintenance: z.boolean(),
    })
    .nullable(),
  services: z
    .array(
      z.object({
        id: z.string(),
        name: z.string(),
        state: z.enum(['served', 'moving', 'down', 'off']),
        node: z.string().nullable(),
        since: moment,
        members: z.array(z.string()),
      }),
    )
    .nullable(),
  secondCopy: z.boolean().nullable(),
  nodes: z
    .array(
      z.object({
        name: z.string(),
        online: z.boolean(),
        pending: z.boolean(),
        unclean: z.boolean(),
        standby: z.enum(['no', 'forever', 'reboot']),
        maintenance: z.boolean(),
        isDc: z.boolean(),
      }),
    )
    .nullable(),
  resources: z
    .array(
      z.object({
        id: z.string(),
        agent: z.string(),
        role: z.string(),
        node: z.string().nullable(),
        active: z.boolean(),
        failed: z.boolean(),
        blocked: z.boolean(),
        managed: z.boolean(),
        pending: z.string().nullable(),
      }),
    )
    .nullable(),
  drbd: z
    .object({
      version: z.string().nullable(),
      resources: z.array(
        z.object({
          name: z.string(),
          role: z.string(),
          suspended: z.array(z.string()),
          volumes: z.array(
            z.object({
              volume: z.number(),
              minor: z.number(),
              disk: z.string(),
              client: z.boolean(),
              quorum: z.boolean(),
              sizeKiB: z.number().nullable(),
            }),
          ),
          peers: z.array(
            z.object({
              name: z.string().nullable(),
              connection: z.string(),
              role: z.string(),
              splitBrain: z
                .object({
                  hereKiB: z.number().nullable(),
                  thereKiB: z.number().nullable(),
                  generationHere: z.string().nullable(),
                  generationThere: z.string().nullable(),
                  foundAt: moment,
                })
                .nullable(),
              volumes: z.array(
                z.object({
                  volume: z.number(),
                  replication: z.string(),
                  disk: z.string(),
                  client: z.boolean(),
                  outOfSyncKiB: z.number().nullable(),
                  donePercent: z.number().nullable(),
                  rateKiBPerSecond: z.number().nullable(),
                  leftSeconds: z.number().nullable(),
                }),
              ),
            }),
          ),
        }),
      ),
    })
    .nullable(),
  nfs: z
    .object({
      threads: z.number(),
      clientsV4: z.number().nullable(),
      clientsOther: z.number().nullable(),
      grace: z.enum(['over', 'running']).nullable(),
    })
    .nullable(),
});

/** A step of a command that changes something; the last one says how it ended. */
const changeData = z.object({
  event: z.enum(['plan', 'begun', 'seen', 'done', 'halfway', 'nothing']),
  text: z.string(),
  from: z.string().nullable().describe('node'),
  to: z.string().nullable().describe('node'),
  commands: z.array(z.string()).describe('as a shell takes them; on another node: NODE: COMMAND'),
  seconds: z.number().nullable(),
  secondCopy: z.boolean().nullable(),
});

const instant = z.string().describe('ISO 8601, UTC');

const historyData = z.object({
  since: instant,
  sources: z.array(
    z.object({
      node: z.string(),
      what: z.enum(['alert-log', 'cib', 'transitions', 'other-node']),
      why: z.string().nullable().describe('why it told nothing'),
      events: z.number(),
    }),
  ),
  events: z.array(
    z.object({
      at: instant.describe('when it had happened or ended'),
      beganAt: moment,
      exact: z.boolean().describe('false where the source counts whole seconds'),
      kind: z.enum(['action', 'node', 'fencing', 'attribute', 'split-brain']),
      node: z.string(),
      resource: z.string().nullable(),
      action: z.string(),
      failed: z.boolean(),
      code: z.number().nullable(),
      seconds: z.number().nullable(),
      queuedSeconds: z.number().nullable(),
      what: z.string().describe("in Pacemaker's words"),
      reason: z.string().describe("in the agent's own words"),
      source: z.enum(['alert', 'cib', 'transition']),
    }),
  ),
  incidents: z.array(
    z.object({
      from: instant,
      until: instant,
      cause: z.enum(['node-lost', 'fenced', 'failure', 'split-brain', 'move', 'start', 'stop', 'change']),
      node: z.string().nullable(),
      resource: z.string().nullable(),
      reason: z.string(),
      events: z.number().describe('how many of the events belong to it'),
      pauses: z
        .array(
          z.object({
            service: z.string(),
            fromNode: z.string().nullable(),
            toNode: z.string().nullable(),
            downAt: moment,
            noticedAt: moment.describe('when the cluster noticed that it had died'),
            upAt: moment,
            seconds: z.number().nullable(),
            isAtLeast: z.boolean().describe('it had been away for longer, and nobody knows how long'),
            exact: z.boolean().describe('false where one end is told in whole seconds'),
          }),
        )
        .describe('how long clients waited'),
    }),
  ),
});

const frame = {
  tsha: z.literal(1),
  time: z.string(),
  node: z.string(),
  level: z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3), z.literal(4), z.literal(130)]),
  findings: z.array(findingShape),
};

/** One object for each answer; `kind` says which. */
export const envelopeShape = z.discriminatedUnion('kind', [
  z.object({ ...frame, kind: z.literal('status'), data: statusData }),
  z.object({
    ...frame,
    kind: z.literal('check'),
    data: z.object({
      losses: z.array(
        z.object({ node: z.string(), actions: z.array(z.string()), resourcesLost: z.array(z.string()) }),
      ),
    }),
  }),
  z.object({
    ...frame,
    kind: z.literal('explain'),
    data: z.object({ about: z.string().nullable(), lines: z.array(z.string()) }),
  }),
  z.object({
    ...frame,
    kind: z.literal('split-brain'),
    data: z.object({
      splits: z.array(
        z.object({
          resource: z.string(),
          foundAt: moment,
          sides: z.array(
            z.object({
              node: z.string().nullable().describe('null where nobody can tell which one it is'),
              isHere: z.boolean(),
              role: z.string().nullable(),
              changedKiB: z.number().nullable(),
              generation: z.string().nullable(),
              primaryFrom: moment,
              primaryUntil: moment,
              wayBack: z.string().nullable().describe('logical volume below it, as VG/LV'),
            }),
          ),
          proposedVictim: z.string().nullable(),
        }),
      ),
      unmet: z
        .array(
          z.object({
            connection: z.string(),
            peer: z.string(),
            standsAlone: z.boolean(),
            otherKnowsOfNone: z.boolean().describe('false when it could not be asked'),
          }),
        )
        .describe('not connected, and no split brain is known: it shows when they meet'),
    }),
  }),
  z.object({ ...frame, kind: z.literal('history'), data: historyData }),
  z.object({
    ...frame,
    kind: z.literal('report'),
    data: historyData.extend({
      page: z.string().describe('the file'),
      archive: z.string().describe('the facts behind it'),
      secretsMasked: z.number(),
    }),
  }),
  z.object({ ...frame, kind: z.literal('switch'), data: changeData }),
  z.object({ ...frame, kind: z.literal('maintenance'), data: changeData }),
  z.object({ ...frame, kind: z.literal('split-brain-repair'), data: changeData }),
  z.object({ ...frame, kind: z.literal('migrate'), data: changeData }),
  z.object({
    ...frame,
    kind: z.literal('error'),
    data: z.object({ message: z.string(), fix: z.array(z.string()) }),
  }),
]);

export type Envelope = z.infer<typeof envelopeShape>;
export type StatusData = z.infer<typeof statusData>;
export type HistoryData = z.infer<typeof historyData>;
export type ChangeData = z.infer<typeof changeData>;
export type ChangeEvent = ChangeData['event'];
export type ChangeKind = 'switch' | 'maintenance' | 'split-brain-repair' | 'migrate';

/** The schema as it is shipped, for programs that read the output. */
export const jsonSchema = (): unknown => z.toJSONSchema(envelopeShape);
