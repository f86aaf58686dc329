import { z } from 'zod';
import { firstLine, type Host } from '../../lib/host/host.ts';
import type { Argv, Output } from '../../lib/host/sys/sys.ts';
import { exitStatus } from '../exit.ts';
import { eventShape } from '../history/event.ts';
import { shellLine } from '../stack.ts';
import { type Known, unknown } from './known.ts';
import type { Verb } from './verbs.ts';

const connectMs = 5000;

/** By the user's own configuration of ssh: no keys are made, and no host is made known. */
const ssh = (node: string, line: string): Argv => [
  'ssh',
  ...['-o', 'BatchMode=yes', '-o', `ConnectTimeout=${connectMs / 1000}`],
  '--',
  node,
  line,
];

/** Why the other node gave no answer; `refused` when it was reached and said no. */
export type NoAnswer = {
  readonly is: 'unreachable' | 'refused';
  readonly why: string;
  /** Whether something of what was asked for may have been done, or be done yet: ssh tells nobody there that it has ended. */
  readonly mayStand: boolean;
};

export type Answer = { readonly is: 'answered'; readonly text: string } | NoAnswer;

/** Nobody was asked. */
export const unreachable = (why: string): NoAnswer => ({ is: 'unreachable', why, mayStand: false });

/** Runs `tsha node VERB …` there; what it wrote, or why there is nothing. */
export async function askNode(
  host: Host,
  node: string,
  verb: Verb,
  words: readonly string[],
  withinMs: number,
): Promise<Answer> {
  return answerOf(
    node,
    await host.tryRun(ssh(node, shellLine([command, 'node', verb, ...words])), { timeoutMs: withinMs }),
  );
}

const command = '/usr/sbin/tsha';

/** Runs a whole command of tsha there, with what it reads. */
export async function tshaThere(
  host: Host,
  node: string,
  words: readonly string[],
  input: string,
): Promise<Answer> {
  const argv = ssh(node, shellLine([command, ...words]));
  return answerOf(node, await host.tryRun(argv, { timeoutMs: 300_000, input }));
}

function answerOf(node: string, output: Output): Answer {
  if (output.code === 0) return { is: 'answered', text: output.stdout };
  // ssh may have said something of its own before, as of a host that it did not know
  const own = output.stderr.split('\n').findIndex((line) => line.startsWith('tsha: '));
  const said =
    own < 0
      ? firstLine(output.stderr)
      : output.stderr.split('\n').slice(own).join('\n').slice('tsha: '.length).trim();
  const mayStand = !output.missing && !changesNothing.includes(output.code);
  const none = (is: NoAnswer['is'], why: string): NoAnswer => ({ is, why, mayStand });
  if (output.missing) return none('unreachable', 'ssh is not installed');
  if (output.hung) return none('unreachable', `ssh to ${node} did not end (${output.hung})`);
  if (output.code === 255) return none('unreachable', said || `ssh to ${node} is not possible`);
  if (output.code === 127) return none('unreachable', `${node} has no ${command}`);
  return none('refused', said || `exit ${output.code}`);
}

/** By tsha, which has said no or cleaned up; by the shell there, which found nothing to run. */
const changesNothing: readonly number[] = [
  exitStatus.broken,
  exitStatus.unknown,
  exitStatus.interrupted,
  126,
  127,
];

const period = z.object({ from: z.number().nullable(), until: z.number().nullable() }).nullable();
const split = z.object({
  hereKiB: z.number().nullable(),
  thereKiB: z.number().nullable(),
  generationHere: z.string().nullable(),
  generationThere: z.string().nullable(),
  foundAt: z.number().nullable(),
});
const sideAnswer = z.object({
  role: z.string(),
  users: z.array(z.string()),
  lastPrimary: period,
  disks: z.array(
    z.object({
      path: z.string(),
      lv: z
        .object({
          vg: z.string(),
          name: z.string(),
          size: z.number(),
          free: z.number(),
          isThin: z.boolean(),
          pool: z.string().optional(),
        })
        .nullable(),
      why: z.string().optional(),
    }),
  ),
  peers: z
    .array(
      z.object({
        name: z.string().nullable(),
        connection: z.string(),
        splitBrain: split.nullable(),
        outOfSyncKiB: z.number().nullable(),
      }),
    )
    .nullable()
    .default(null),
});
const known = z.string().nullable();
const lookAnswer = z.object({
  clock: z.number().describe('milliseconds since 1970'),
  versions: z
    .record(z.string(), known)
    .describe('tsha, Pacemaker, DRBD and its tools; null when it is not there'),
  configurations: z.record(z.string(), known).describe('what both nodes should have alike, by its name'),
  findings: z.array(
    z.object({
      code: z.string(),
      facts: z.record(z.string(), z.string()),
      evidence: z.array(z.object({ source: z.string(), text: z.string() })),
    }),
  ),
});
export type LookAnswer = z.infer<typeof lookAnswer>;

/** The other node's own look, or why there is none. */
const asked =
  <T>(verb: Verb, shape: z.ZodType<T>) =>
  async (host: Host, node: string, words: readonly string[] = []): Promise<Known<T>> => {
    const answer = await askNode(host, node, verb, words, 30_000);
    return answer.is === 'answered' ? understood(node, answer.text, shape) : unknown(answer.why);
  };

/** What tsha of the other node has printed as JSON. */
export function understood<T>(node: string, text: string, shape: z.ZodType<T>): Known<T> {
  try {
    return { is: 'known', value: shape.parse(JSON.parse(text)) };
  } catch {
    return unknown(`tsha of ${node} answers otherwise than this one: another version?`);
  }
}

export const askSide = asked('side', sideAnswer);
export const askLook = asked('look', lookAnswer);
export const askAgents = asked('agents', z.object({ missing: z.array(z.string()) }));
export const askEvents = asked('events', z.object({ events: z.array(eventShape) }));
