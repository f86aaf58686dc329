import { setTimeout as sleep } from 'node:timers/promises';
import type { Lab } from '../machines/lab.ts';
import type { Machine } from '../machines/machine.ts';
import { type NodeName, nodes, peerOf } from '../settings.ts';
import { type AgentName, drbdDevice, exportedFolder, resourceIds } from './configuration.ts';
import { type ClusterState, parseCrmMon } from './crm-mon.ts';
import { type DrbdState, drbdStateCommand, isInSync, parseDrbdState } from './drbd.ts';

const crmMon = 'crm_mon --output-as=xml --one-shot --inactive --failcounts --operations';
const pollEvery = 300;

/** Pacemaker will not try a resource again by itself; waiting longer is of no use. */
export class GaveUpError extends Error {
  override name = 'GaveUpError';
}

export class Cluster {
  readonly lab: Lab;
  readonly #agents: readonly AgentName[];

  constructor(lab: Lab, agents: readonly AgentName[]) {
    this.lab = lab;
    this.#agents = agents;
  }

  /** What an administrator does once, before any cluster manager: metadata, first synchronisation (none: both disks are empty), mkfs. */
  async prepareDisks(signal: AbortSignal, ...filling: string[]): Promise<void> {
    await this.#onBoth('modprobe drbd && drbdadm create-md --force data && drbdadm up data', signal);
    await this.#drbdOnBoth((state) => state?.connection === 'Connected', signal);
    const first = this.lab.machine('node1');
    await first.run(
      [
        'drbdadm new-current-uuid --clear-bitmap data/0',
        'drbdadm primary data',
        `mkfs.xfs -q -f ${drbdDevice}`,
        ...(filling.length > 0
          ? [`mount ${drbdDevice} ${exportedFolder}`, ...filling, `umount ${exportedFolder}`]
          : []),
        'drbdadm secondary data',
      ].join(' && '),
      { signal },
    );
    await this.#onBoth('drbdadm down data', signal);
  }

  async configure(cib: string, signal: AbortSignal): Promise<void> {
    const folder = '/var/lib/pacemaker/cib';
    await Promise.all(
      this.lab.nodes.map(async (node) => {
        await node.write(`${folder}/cib.xml`, cib, { signal });
        await node.run(`chown hacluster:haclient ${folder}/cib.xml && chmod 600 ${folder}/cib.xml`, {
          signal,
        });
      }),
    );
  }

  async start(names: readonly NodeName[], signal: AbortSignal): Promise<void> {
    const command = 'systemctl start --no-block corosync pacemaker';
    await Promise.all(names.map((name) => this.lab.machine(name).run(command, { signal })));
  }

  async standby(node: NodeName, signal: AbortSignal): Promise<void> {
    await this.lab.machine(peerOf(node)).run(`crm_standby --node ${node} --update on`, { signal });
  }

  async unstandby(node: NodeName, signal: AbortSignal): Promise<void> {
    await this.lab.machine(peerOf(node)).run(`crm_standby --node ${node} --delete`, { signal });
  }

  /** Pacemaker stops everything, and leaves it alone from then on. */
  async stopAll(viewer: NodeName, signal: AbortSignal): Promise<void> {
    await this.lab.machine(viewer).run('crm_attribute --name stop-all-resources --update true', { signal });
    for (;;) {
      const state = await this.seenFrom(viewer, signal);
      if (state?.resources.every(({ active }) => !active)) return;
      await sleep(pollEvery, undefined, { signal });
    }
  }

  /** Nobody in standby, nothing stopped on purpose, no failed action. */
  async forget(viewer: NodeName, signal: AbortSignal): Promise<void> {
    const commands = [
      'until crm_node -p | grep -q .; do sleep 1; done',
      'crm_attribute --name stop-all-resources --delete',
      ...nodes.map((node) => `crm_standby --node ${node} --delete`),
      'crm_resource --cleanup',
    ];
    await this.lab.machine(viewer).run(commands.join('; '), { signal });
  }

  /** The cluster as one of its nodes sees it; nothing while its cluster manager is not up yet. */
  async seenFrom(node: NodeName, signal: AbortSignal): Promise<ClusterState | undefined> {
    const xml = await this.lab.machine(node).ask(crmMon, { signal });
    return xml ? parseCrmMon(xml) : undefined;
  }

  /** The node all resources run on, once they do. */
  async allStarted(signal: AbortSignal, on?: NodeName): Promise<NodeName> {
    for (;;) {
      for (const viewer of on ? [on] : nodes) {
        const state = await this.seenFrom(viewer, signal);
        if (!state) continue;
        const home = homeOfAll(state, this.#agents);
        if (home && (!on || home === on)) return home;
        const hopeless = this.#agents.map((agent) => resourceIds[agent]).find((id) => isHopeless(state, id));
        if (hopeless) throw new GaveUpError(describeFailure(state, hopeless));
      }
      await sleep(pollEvery, undefined, { signal });
    }
  }

  /** Every recurring monitor of every active resource has answered well at least once. */
  async monitorsGreen(viewer: NodeName, signal: AbortSignal): Promise<void> {
    for (;;) {
      const state = await this.seenFrom(viewer, signal);
      if (state && this.#agents.every((agent) => monitored(state, resourceIds[agent]))) return;
      await sleep(pollEvery, undefined, { signal });
    }
  }

  /** Both nodes run DRBD, connected, with the same data. */
  async inSync(signal: AbortSignal): Promise<void> {
    await this.#drbdOnBoth(isInSync, signal);
  }

  /** How well the cluster believes DRBD could be promoted on a node; nothing when it never should. */
  async promotionScore(
    node: NodeName,
    signal: AbortSignal,
    resource: string = resourceIds.drbd,
  ): Promise<number | undefined> {
    const query = `attrd_updater --query --name master-${resource} --node ${node}`;
    const answer = await this.lab.machine(node).ask(query, { signal });
    const [, score] = /value="(-?\d+)"/.exec(answer) ?? [];
    return score === undefined ? undefined : Number(score);
  }

  /** Nothing when DRBD's resource is down. */
  async drbdOn(node: NodeName, signal: AbortSignal): Promise<DrbdState | undefined> {
    return parseDrbdState(await this.lab.machine(node).ask(drbdStateCommand, { signal }));
  }

  async #drbdOnBoth(expected: (state: DrbdState | undefined) => boolean, signal: AbortSignal): Promise<void> {
    for (;;) {
      const states = await Promise.all(nodes.map((node) => this.drbdOn(node, signal)));
      if (states.every(expected)) return;
      await sleep(pollEvery, undefined, { signal });
    }
  }

  /** The node is back as the second: its DRBD runs, and Pacemaker says so. */
  async joined(node: NodeName, signal: AbortSignal): Promise<void> {
    for (;;) {
      const state = await this.seenFrom(peerOf(node), signal);
      if (
        state?.resources.some(
          ({ id, role, node: on }) => id === resourceIds.drbd && role === 'Unpromoted' && on === node,
        )
      )
        return;
      await sleep(pollEvery, undefined, { signal });
    }
  }

  async #onBoth(command: string, signal: AbortSignal): Promise<void> {
    await Promise.all(this.lab.nodes.map((node: Machine) => node.run(command, { signal })));
  }
}

function homeOfAll({ resources }: ClusterState, agents: readonly AgentName[]): NodeName | undefined {
  const homes = agents.map((agent) => {
    const role = agent === 'drbd' ? 'Promoted' : 'Started';
    return resources.find(
      (resource) =>
        resource.id === resourceIds[agent] &&
        resource.role === role &&
        !resource.failed &&
        (resource.pending ?? 'Monitoring') === 'Monitoring',
    )?.node;
  });
  return nodes.find((node) => homes.every((home) => home === node));
}

const monitored = ({ operations, resources }: ClusterState, id: string): boolean =>
  resources
    .filter((resource) => resource.id === id && resource.active)
    .every(({ node, role }) =>
      operations.some(
        (operation) =>
          operation.resource === id &&
          operation.node === node &&
          operation.task === 'monitor' &&
          operation.recurring &&
          operation.rc === (role === 'Promoted' ? 8 : 0),
      ),
    );

/** Pacemaker may no longer touch it, or has no node left to try it on. */
const isHopeless = ({ resources, failCounts }: ClusterState, id: string): boolean =>
  resources.some((resource) => resource.id === id && resource.blocked) ||
  nodes.every((node) =>
    failCounts.some(
      ({ resource, node: on, count }) =>
        resource === id && on === node && ['INFINITY', '1000000'].includes(count),
    ),
  );

function describeFailure({ failures }: ClusterState, id: string): string {
  const failure = failures.find(({ resource }) => resource === id);
  const why = failure && `: ${failure.task} on ${failure.node} said "${failure.reason || failure.status}"`;
  return `Pacemaker gave up on ${id}${why ?? ''}`;
}
