/** Lines of the alert log, as packaging/share/alert_tsha.sh writes them. */
export const second = (time: string): number => Date.parse(`2026-11-29T${time}Z`) / 1000;

type Line = { readonly [name: string]: string | number | null };
let sequence = 0;

const line = (time: string, values: Line): string =>
  `${JSON.stringify({ v: 1, at: second(time), seq: ++sequence, ...values })}\n`;

/** An action that ended at that time. */
export const acted = (
  time: string,
  node: string,
  resource: string,
  action: string,
  ms: number,
  code = 0,
): string =>
  line(time, {
    ...{ kind: 'resource', node, resource, action, intervalMs: action === 'monitor' ? 20_000 : 0 },
    ...{ code, expected: 0, status: 0, ms, what: code === 0 ? 'ok' : 'not running' },
  });

/** The same with the agent's reason, which comes in a line of its own. */
export function actedWith(
  time: string,
  node: string,
  resource: string,
  action: string,
  code: number,
  reason: string,
) {
  const event = acted(time, node, resource, action, 100, code);
  return `${event}${JSON.stringify({ v: 1, at: second(time), seq: sequence, reason })}\n`;
}

export const nodeIs = (time: string, node: string, what: 'lost' | 'member'): string =>
  line(time, { kind: 'node', node, what });

export const fencedBy = (time: string, node: string, by: string, code = 0): string =>
  line(time, {
    ...{ kind: 'fencing', node, action: 'st_notify_fence', code },
    what: `Operation reboot of ${node} by ${by} for pacemaker-controld.7@${by}: ${code === 0 ? 'OK' : 'Timer expired'}`,
  });

/** The service of the captured pair leaves a node in order. */
export const stopsOn = (node: string): string =>
  acted('13:58:01.000', node, 'nfs-notify', 'stop', 100) +
  acted('13:58:02.500', node, 'nfs_ip', 'stop', 400) +
  acted('13:58:03.000', node, 'nfs-root', 'stop', 300) +
  acted('13:58:06.000', node, 'nfs-daemon', 'stop', 2900) +
  acted('13:58:08.000', node, 'NFS', 'stop', 1500) +
  acted('13:58:08.400', node, 'Data', 'demote', 200);

/** And comes up on another one. */
export const startsOn = (node: string): string =>
  acted('13:58:09.000', node, 'Data', 'promote', 500) +
  acted('13:58:10.000', node, 'NFS', 'start', 900) +
  acted('13:58:14.000', node, 'nfs-daemon', 'start', 3900) +
  acted('13:58:14.500', node, 'nfs-root', 'start', 400) +
  acted('13:58:15.000', node, 'nfs_ip', 'start', 450) +
  acted('13:58:15.500', node, 'nfs-notify', 'start', 300);
