import { agentFolder } from '../../../cluster/configuration.ts';
import type { Limits, Machine } from '../../../machines/machine.ts';

/** A call of the agent as Pacemaker makes it; every value may be overridden, `undefined` leaves a variable out. */
export interface Call {
  action: string;
  params?: Record<string, string>;
  meta?: Record<string, string | undefined>;
  env?: Record<string, string>;
  /** Whose promotion score; by default a resource of its own, so that no earlier call is remembered. */
  instance?: string;
  /** Gives that resource a score first, which the call may change or not. */
  scored?: boolean;
}

export interface Answer {
  code: number;
  /** Everything it said: log lines and the exit reason. */
  said: string;
  seconds: number;
}

const clone: Record<string, string> = {
  clone: '0',
  clone_max: '2',
  clone_node_max: '1',
  promoted_max: '1',
  promoted_node_max: '1',
  master_max: '1',
  master_node_max: '1',
  notify: 'true',
  interval: '10000',
  timeout: '20000',
};

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** Whether a score is left alone can only be seen of one that is there. */
export const sentinel = 4242;

export async function callAgent(
  machine: Machine,
  call: Call & { instance: string },
  limits: Limits,
): Promise<Answer> {
  const { action, params = {}, meta = {}, env = {}, instance, scored = false } = call;
  // it ends by itself before its time is up; on a busy machine its start and its end may take long
  const timeout = (3 * Number(meta['timeout'] ?? clone['timeout'])) / 1000;
  const variables: Record<string, string | undefined> = {
    OCF_ROOT: '/usr/lib/ocf',
    OCF_RA_VERSION_MAJOR: '1',
    OCF_RA_VERSION_MINOR: '1',
    OCF_RESOURCE_INSTANCE: instance,
    OCF_RESKEY_crm_feature_set: '3.16.2',
    ...prefixed('OCF_RESKEY_CRM_meta_', { on_node: machine.name, ...clone, ...meta }),
    ...prefixed('OCF_RESKEY_', { drbd_resource: 'data', ...params }),
    ...env,
  };
  const settings = Object.entries(variables).flatMap(([name, value]) =>
    value === undefined ? [] : [quoted(`${name}=${value}`)],
  );
  const script = [
    ...(scored ? [`attrd_updater --update ${sentinel} --name master-${instance}`] : []),
    'began=$(date +%s%N)',
    `timeout -s KILL ${timeout} env -i PATH=$PATH ${settings.join(' ')} ${agentFolder}/drbd ${action} 2>&1 < /dev/null`,
    'echo "exit $? $(( $(date +%s%N) - began ))"',
  ].join('\n');
  const output = await machine.run(script, limits);
  const [, said = '', code, nanoseconds] = /^(.*?)exit (\d+) (\d+)\s*$/s.exec(output) ?? [];
  return { code: Number(code), said: said.trim(), seconds: Number(nanoseconds) / 1e9 };
}

const prefixed = (
  prefix: string,
  values: Record<string, string | undefined>,
): Record<string, string | undefined> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix}${name}`, value]));
