import type { Params } from '../../lib/contract/params.ts';
import { readBoolean } from '../../lib/contract/params.ts';
import type { Request } from '../../lib/contract/request.ts';
import { nameTrouble } from '../../lib/host/drbd/state.ts';
import { parseVersion } from '../../lib/host/drbd/version.ts';
import type { params } from './params.ts';
import { metaNumber, wanted } from './wanted.ts';

type Given = Params<typeof params>;

/** What is wrong with the parameters, and for actions that bring something up, with the clone they run in. */
export const rules = (given: Given, request: Request): readonly string[] => [
  ...parameterRules(given),
  ...cloneRules(given, request),
];

function* parameterRules(given: Given): Generator<string> {
  const trouble = nameTrouble(given.drbd_resource);
  if (trouble) yield `drbd_resource="${given.drbd_resource}" ${trouble}`;
  if (!/^[-%+./0-9:=@A-Z_a-z]+$/.test(given.drbdconf))
    yield `drbdconf="${given.drbdconf}" has characters other than letters, digits and -%+./:=@_`;
  for (const name of ['require_drbd_module_version_ge', 'require_drbd_module_version_lt'] as const)
    if (given[name] !== '' && !parseVersion(given[name]))
      yield `${name}="${given[name]}" is not of the form x.y.z`;
  const yielding = given.remove_master_score_if_peer_primary;
  if (yielding !== 'unexpected' && readBoolean(yielding) === undefined)
    yield `remove_master_score_if_peer_primary="${yielding}" is not true, false or unexpected`;
}

const bringsUp: ReadonlySet<string> = new Set(['start', 'promote', 'reload', 'reload-agent']);

/**
 * A resource that already runs is watched, demoted and stopped whatever became of its clone; and pcs calls validate-all before
 * there is a clone at all.
 */
function* cloneRules(given: Given, request: Request): Generator<string> {
  const { action, instance } = request;
  const cloned = request.meta('clone_max') !== undefined || request.meta('clone') !== undefined;
  if (!bringsUp.has(action) && !(action === 'validate-all' && cloned)) return;
  if ((metaNumber(request, 'clone_node_max') ?? 1) !== 1) yield 'clone-node-max must be 1';
  if ((metaNumber(request, 'promoted_node_max', 'master_node_max') ?? 1) !== 1)
    yield 'promoted-node-max must be 1';
  const { promotedMax, cloneMax = Number.NaN } = wanted({ params: given, request });
  if (!(promotedMax <= 2)) yield 'promoted-max must be 1 or 2';
  if (promotedMax === 2 && !(cloneMax <= 2)) yield 'promoted-max=2 needs clone-max=2';
  if (action === 'validate-all' || given.ignore_missing_notifications || isNotified(request)) return;
  yield cloned
    ? `notify is off: pcs resource meta ${instance}-clone notify=true`
    : `not a promotable clone: pcs resource promotable ${instance} notify=true promoted-max=1`;
}

/** Pacemaker sets the notification variables of an action, if empty, only for clones with notify=true. */
const isNotified = (request: Request): boolean =>
  readBoolean(request.meta('notify') ?? '') === true || request.meta('notify_start_uname') !== undefined;
