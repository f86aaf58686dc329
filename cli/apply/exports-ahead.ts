import { commandFailure, firstLine, type Host } from '../../lib/host/host.ts';
import { executorEnvironment } from '../executor.ts';
import type { Resource } from '../plan/cluster.ts';

// A new member of a group makes Pacemaker restart the members behind it, the address among them: unless its first look finds the new one
// running. So an export is served by hand on the node of the group, by the agent that Pacemaker will call, before the cluster is told.

/** The agent's environment as Pacemaker's executor makes it. */
const environment = ({ id, type, parameters, operations }: Resource, action: string) => ({
  ...executorEnvironment(id, type.split(':')[1] ?? ''),
  OCF_RESOURCE_TYPE: type.split(':')[2] ?? '',
  OCF_RESKEY_CRM_meta_timeout: String(
    1000 * seconds(operations.find(({ name }) => name === action)?.timeout),
  ),
  ...Object.fromEntries(parameters.map(([name, value]) => [`OCF_RESKEY_${name}`, value])),
});

const seconds = (timeout = '40s'): number => Number.parseInt(timeout, 10);

/** Has the agent start or stop an export. What it said where it did not do it. */
export async function callAgent(
  host: Host,
  resource: Resource,
  action: 'start' | 'stop',
): Promise<string | null> {
  const [, provider = '', name = ''] = resource.type.split(':');
  const argv = [`/usr/lib/ocf/resource.d/${provider}/${name}`, action] as const;
  const env = environment(resource, action);
  const answer = await host.tryRun(argv, { env, timeoutMs: Number(env.OCF_RESKEY_CRM_meta_timeout) });
  if (answer.code === 0) return null;
  const reason = /ocf-exit-reason:(.*)/.exec(answer.stderr)?.[1];
  return reason ?? (firstLine(answer.stderr) || commandFailure(argv, answer).message);
}
