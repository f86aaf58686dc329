import type { Params } from '../../lib/contract/params.ts';
import type { Request } from '../../lib/contract/request.ts';
import { parseVersion, type Version } from '../../lib/host/drbd/version.ts';
import { params } from './params.ts';
import { parseScores, type Scores } from './score.ts';

/** What the parameters and the clone ask for. */
export type Wanted = {
  /** By its name in the configuration. */
  readonly resource: string;
  /** The configuration file. */
  readonly file: string;
  readonly scores: Scores;
  /** How long a start waits for connections; 0: not at all. */
  readonly waitSeconds: number;
  readonly kernelAtLeast: Version | undefined;
  readonly kernelBelow: Version | undefined;
  /** How many instances Pacemaker may promote; NaN for what is no number. */
  readonly promotedMax: number;
  readonly cloneMax: number | undefined;
};

type Asked = { readonly params: Params<typeof params>; readonly request: Request };

export function wanted({ params: given, request }: Asked): Wanted {
  return {
    resource: given.drbd_resource,
    file: given.drbdconf,
    scores: parseScores(given.adjust_master_score) ?? defaultScores,
    waitSeconds: /^\d+$/.test(given.wfc_timeout) ? Number(given.wfc_timeout) : 0,
    kernelAtLeast: parseVersion(given.require_drbd_module_version_ge),
    kernelBelow: parseVersion(given.require_drbd_module_version_lt),
    promotedMax: metaNumber(request, 'promoted_max', 'master_max') ?? 1,
    cloneMax: metaNumber(request, 'clone_max'),
  };
}

const defaultScores = parseScores(params.adjust_master_score.default) as Scores;

/** The first of these meta attributes that is set; NaN when it is no number. */
export function metaNumber(request: Request, ...names: readonly string[]): number | undefined {
  const text = names.map((name) => request.meta(name)).find((value) => value !== undefined);
  return text === undefined ? undefined : /^\d+$/.test(text) ? Number(text) : Number.NaN;
}

/**
 * The name of a remembered fact. Calls by hand share one memory whatever resource they are for (`handInstance`): what one of them has seen
 * says nothing about another.
 */
export const factOf = ({ params: given }: Pick<Asked, 'params'>, what: string): string =>
  `${what} of ${given.drbd_resource}`;
