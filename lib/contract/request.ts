/** What Pacemaker asks of the agent, apart from the resource's own parameters. */
export type Request = {
  /** As it was called: `status`, which people call, runs as a monitor that is no probe. */
  readonly action: string;
  readonly instance: string;
  /** A monitor that asks "is it here at all?": interval 0 or none, as in ocf-shellfuncs. */
  readonly probe: boolean;
  /**
   * Called with Pacemaker's words (feature set, CRM_meta_*). drbd-reactor and people say none: their monitor has no interval, so it
   * counts as a probe, but whoever called it reads the reason and wants what a recurring monitor does. A call by hand has a timeout as well.
   */
  readonly byPacemaker: boolean;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** OCF_CHECK_LEVEL; `undefined` when nobody set it, which validate-all takes as 0. */
  readonly checkLevel: number | undefined;
  /** Every OCF_RESKEY_CRM_meta_* by its name without the prefix, e.g. `meta('clone_max')`. An empty value is returned as ''. */
  meta(name: string): string | undefined;
  /** Since feature set 3.10.0 (Pacemaker 2.1.0): crm_attribute --promotion, degraded codes, new role names. */
  readonly featureSet: string | undefined;
};

/** What `tsha agent` calls the instance that a person looks at or acts on: none of the cluster's. */
export const handInstance = 'by-hand';

/** Whether no resource of the cluster called: nothing is told to the cluster then, because it would be of nobody. */
export const isByHand = ({
  OCF_RESOURCE_INSTANCE: instance,
  OCF_RESKEY_crm_feature_set: featureSet,
}: NodeJS.ProcessEnv): boolean => !instance || (instance === handInstance && !featureSet);

/** Pacemaker's own default when an operation has no timeout. */
const defaultTimeoutMs = 20_000;
/** A JavaScript timer with more milliseconds than this fires at once. 24 days. */
const longestTimerMs = 2 ** 31 - 1;

export function readRequest(action: string, env: NodeJS.ProcessEnv): Request {
  const meta = (name: string) => env[`OCF_RESKEY_CRM_meta_${name}`];
  const intervalMs = wholeNumber(meta('interval')) ?? 0;
  const featureSet = env['OCF_RESKEY_crm_feature_set'];
  return {
    action,
    instance: env['OCF_RESOURCE_INSTANCE'] || 'default',
    probe: action === 'monitor' && intervalMs === 0,
    byPacemaker:
      meta('interval') !== undefined ||
      (meta('timeout') !== undefined && env['OCF_RESOURCE_INSTANCE'] !== handInstance) ||
      Boolean(featureSet),
    intervalMs,
    timeoutMs: Math.min(wholeNumber(meta('timeout')) || defaultTimeoutMs, longestTimerMs),
    checkLevel: wholeNumber(env['OCF_CHECK_LEVEL'] || env['OCF_RESKEY_OCF_CHECK_LEVEL']),
    meta,
    featureSet,
  };
}

const wholeNumber = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;

/** OCF 1.1: an unsupported level means the next lower supported one. */
export const supportedDepth = (level: number | undefined, depths: readonly number[]): number =>
  Math.max(0, ...depths.filter((depth) => depth <= (level ?? 0)));
