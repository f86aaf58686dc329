import type { Log } from '../contract/log.ts';
import {
  exitCode,
  Failure,
  type Health,
  type Outcome,
  type Report,
  type Trouble,
} from '../contract/outcome.ts';
import { type ParamTable, type RawParams, rawParams, readParams } from '../contract/params.ts';
import {
  forgive,
  mustRemember,
  needsRoot,
  needsTools,
  type Situation,
  situationOf,
  whenMissing,
} from '../contract/policy.ts';
import { wordsOf } from '../contract/reason.ts';
import { type Request, readRequest, supportedDepth } from '../contract/request.ts';
import { hostOn } from '../host/host.ts';
import { memoryOf } from '../host/memory.ts';
import type { Sys } from '../host/sys/sys.ts';
import type { AgentDef, Context } from './agent.ts';

/** The end of an action: the number Pacemaker hears and, for anything unexpected, the sentence that explains it. */
export type Result = { readonly code: number; readonly outcome: Outcome; readonly reason?: string };

export const resultOf = (outcome: Outcome, reason?: string): Result =>
  reason ? { code: exitCode[outcome], outcome, reason } : { code: exitCode[outcome], outcome };

/**
 * How much earlier than Pacemaker's SIGKILL an action ends by itself. Pacemaker's clock starts before ours: the fork, the
 * launcher and the runtime's start-up lie in between.
 */
export const marginMs = (timeoutMs: number): number =>
  Math.min(timeoutMs / 3, Math.max(1000, Math.min(5000, timeoutMs / 10)));

/** The actions an agent answers, `meta-data` and `usage` apart. */
export const actionsOf = (agent: AgentDef<ParamTable>): readonly string[] => [
  ...Object.keys(agent.actions),
  'status',
];

/** Runs one action. Never throws, never answers 0 or 7 for something it does not know. */
export async function runAction<T extends ParamTable>(
  agent: AgentDef<T>,
  action: string,
  sys: Sys,
  log: Log,
  interrupted: Promise<Failure> = new Promise(() => {}),
): Promise<Result> {
  const { env } = sys;
  const refusal = refuseCall(agent as unknown as AgentDef<ParamTable>, action, env);
  if (refusal) return refusal;

  const asked = action === 'status' ? 'monitor' : action;
  const request = readRequest(action, env);
  const situation = situationOf(asked, request.probe);
  try {
    const outcome = await Promise.race([
      perform(agent, asked as keyof AgentDef<T>['actions'], situation, request, sys, log),
      interrupted.then((failure): never => {
        throw failure;
      }),
    ]);
    const silent = situation === 'probe' && request.byPacemaker;
    return conclude(agent.name, silent, outcome);
  } catch (error) {
    const failure = asFailure(error);
    log.debug(failure.stack ?? failure.message);
    const verdict = forgive(situation, failure.outcome);
    if (verdict === 'ok' || verdict === 'notRunning') {
      log.info(`${situation}: ${failure.message}`);
      return resultOf(verdict);
    }
    return resultOf(verdict, failure.message);
  }
}

/** A call that no resource could answer. */
function refuseCall(agent: AgentDef<ParamTable>, action: string, env: NodeJS.ProcessEnv): Result | undefined {
  if (!actionsOf(agent).includes(action)) {
    const known = actionsOf(agent).join(', ');
    return resultOf(
      'unimplemented',
      action ? `${action}: action not supported (${known}, meta-data)` : 'no action given',
    );
  }
  const major = env['OCF_RA_VERSION_MAJOR'];
  if (major !== undefined && major !== '' && major !== '1')
    return resultOf('failed', `OCF resource agent API version ${major} is not supported, only version 1`);
  if (major && !env['OCF_RESOURCE_INSTANCE'])
    return resultOf('invalidHere', 'OCF_RESOURCE_INSTANCE is not set: which resource is this?');
  return undefined;
}

async function perform<T extends ParamTable>(
  agent: AgentDef<T>,
  action: keyof AgentDef<T>['actions'],
  situation: Situation,
  request: Request,
  sys: Sys,
  log: Log,
): Promise<Health | Report> {
  const memory = memoryOf(sys, agent.name, request.instance, log, mustRemember.has(situation));
  let raw = await parametersFor(agent, situation, rawParams(agent.params, sys.env), memory.params);
  const { missing, problems, ...read } = readParams(agent.params, raw);
  let { params } = read;

  if (missing.length > 0) {
    const reason = `required parameter ${missing.join(', ')} is not set`;
    if (situation === 'stop') log.warn(`${reason}, and no start on this boot is remembered: nothing to stop`);
    const verdict = whenMissing[situation];
    if (verdict !== 'look') return settle(verdict, reason);
  }
  const wrong = [...problems, ...(missing.length === 0 ? (agent.rules?.(params, request) ?? []) : [])];
  if (wrong.length > 0) {
    const { goOnDespite } = await import('./despite.ts');
    const found = await goOnDespite(wrong, { agent, situation, request, memory, log, raw, params });
    if (typeof found === 'string') return settle(found, wrong.join('; '));
    ({ raw, params } = found);
  }
  if (needsRoot.has(situation) && sys.uid !== 0)
    throw new Failure('notPermitted', `${action} needs root, not uid ${sys.uid}`);

  const host = hostOn(sys, request.timeoutMs - marginMs(request.timeoutMs));
  if (needsTools.has(situation)) await requireTools(agent, sys);
  const ctx: Context<T> = {
    params,
    host,
    log,
    memory,
    request: { ...request, depth: supportedDepth(request.checkLevel, agent.actions.monitor.depths ?? []) },
  };

  switch (situation) {
    case 'monitor':
    case 'probe':
      return agent.actions.monitor.run(ctx);
    case 'validate':
      // OCF 1.1: level 0, also meant when no level is given, must not look at this host.
      if ((request.checkLevel ?? 0) >= 10) {
        await requireTools(agent, sys);
        await agent.actions['validate-all'].run?.(ctx);
      }
      return 'ok';
    case 'start':
      await memory.rememberParams(raw);
      await agent.actions.start.run(ctx);
      return 'ok';
    case 'stop':
      await agent.actions.stop.run(ctx);
      await memory.forget();
      return 'ok';
    default: {
      const work = agent.actions[action];
      if (!work?.run) throw new Failure('unimplemented', `${action}: action not supported`);
      const answer = await work.run(ctx);
      if (situation === 'reload') await memory.rememberParams(raw);
      return answer ?? 'ok';
    }
  }
}

/** A stop of a resource whose parameters were deleted works with those of its start. */
async function parametersFor<T extends ParamTable>(
  agent: AgentDef<T>,
  situation: Situation,
  given: RawParams,
  remembered: () => Promise<RawParams | undefined>,
): Promise<RawParams> {
  if (situation !== 'stop') return given;
  const complete = readParams(agent.params, given).missing.length === 0;
  return complete ? given : { ...(await remembered()), ...given };
}

async function requireTools<T extends ParamTable>(agent: AgentDef<T>, sys: Sys): Promise<void> {
  for (const tool of agent.needs)
    if (!(await sys.has(tool))) throw new Failure('notInstalled', `command ${tool} is not installed`);
}

/** A verdict of the policy tables: trouble is thrown, health is the answer. */
function settle(verdict: Trouble | Health, reason: string): Health {
  if (isHealth(verdict)) return verdict;
  throw new Failure(verdict, reason);
}

const healths: ReadonlySet<string> = new Set<Health>([
  'ok',
  'notRunning',
  'promoted',
  'degraded',
  'degradedPromoted',
]);
const isHealth = (verdict: Trouble | Health): verdict is Health => healths.has(verdict);

/** Pacemaker's probe expects "not running" and wants no reason for it. */
function conclude(agent: string, silent: boolean, outcome: Health | Report): Result {
  const { health, reason } = typeof outcome === 'string' ? { health: outcome, reason: undefined } : outcome;
  if (health === 'notRunning' && !silent) return resultOf(health, reason ?? `${agent} is not running`);
  if (health === 'notRunning' || health === 'ok' || health === 'promoted') return resultOf(health);
  return resultOf(health, reason);
}

/** Anything that is not a `Failure` is a defect of ours or an error of the system: both are "failed", never a guess. */
function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  return new Failure('failed', `unexpected: ${wordsOf(error)}`, { cause: error });
}
