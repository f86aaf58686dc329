import type { Cluster } from '../cluster/cluster.ts';
import type { FaultOptions } from '../faults/options.ts';
import type { Lab } from '../machines/lab.ts';
import type { Checks, Figures } from '../report/checks.ts';
import type { Steps } from '../report/steps.ts';
import type { Grace, LabName, NodeName, Order, Provider } from '../settings.ts';
import type { LocalWriters } from '../workload/local-writers.ts';
import type { NeighbourWatch } from '../workload/neighbour.ts';
import type { Watch } from '../workload/watch.ts';
import type { Workload } from '../workload/workload.ts';

export interface Plan extends LabName {
  provider: Provider;
  order: Order;
  grace: Grace;
  /** The demo tells the story; the tests want to know everything. */
  purpose: 'demo' | 'test';
  /** How the faults are played; as in every test run unless given. */
  faults?: FaultOptions | undefined;
}

/** A cluster with clients at work on it, and what has been found out about it so far. */
export interface Run {
  plan: Plan;
  lab: Lab;
  cluster: Cluster;
  workload: Workload;
  /** On the nodes themselves, for campaigns without clients. */
  writers: LocalWriters;
  watch: Watch;
  neighbour: NeighbourWatch;
  steps: Steps;
  checks: Checks;
  figures: Figures[];
  /** Version of DRBD's kernel module, where a campaign asked for it. */
  drbd?: string;
  /** The node that was taken out of service, or killed. */
  away?: NodeName;
}

export function nodeAway({ away }: Run): NodeName {
  if (!away) throw new Error('no node is out of service');
  return away;
}

export const now = (): number => Date.now() / 1000;
