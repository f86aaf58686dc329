import type { Lab } from '../machines/lab.ts';

const conf = '/etc/corosync/corosync.conf';
const drbdConf = '/etc/drbd.d/data.res';

/** How soon a silent node counts as dead, in milliseconds, and how soon DRBD notices, in its own units. */
class Sensitivity {
  readonly token: number;
  readonly #pingTimeout: number;

  constructor(token: number, pingTimeout: number) {
    this.token = token;
    this.#pingTimeout = pingTimeout;
  }

  /** On nodes that run; corosync takes it without a restart. DRBD must notice before Pacemaker promotes, which otherwise waits for it. */
  async apply(lab: Lab, signal: AbortSignal): Promise<void> {
    const commands = [
      `sed -i 's/^  token: .*/  token: ${this.token}/' ${conf}`,
      `sed -i 's/ping-timeout [0-9]*/ping-timeout ${this.#pingTimeout}/' ${drbdConf}`,
      'if drbdadm role data > /dev/null 2>&1; then drbdadm adjust data; fi',
    ];
    await Promise.all(lab.nodes.map((node) => node.run(commands.join(' && '), { signal })));
    await lab.nodes[0]?.run('corosync-cfgtool -R', { signal });
  }
}

export const withToken = (token: number): Sensitivity => new Sensitivity(token, token < 3000 ? 5 : 30);

/** Corosync's default, and the recommendation. */
export const usual = withToken(3000);
export const sensitive = withToken(1000);
