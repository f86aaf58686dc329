import fc from 'fast-check';
import { test } from 'vitest';
import { FakeDrbd, resource, volumes } from '../../fake/drbd.ts';
import { act, busy, good, timeout } from '../../fake/drbd-actions.ts';
import { campaign, longestMs } from '../campaign.ts';

// Random sequences of actions and faults on a node whose kernel lies in memory: after each action that kernel, not the agent, says
// what is there. (On a real kernel the lab plays its tables; a kernel with DRBD is not to be had here.)

const actions = ['start', 'stop', 'promote', 'demote', 'monitor', 'probe', 'reload'] as const;
/** What somebody does to the node, and takes back when it comes again. */
const faults = [
  'drbdadm aborts',
  'drbdadm hangs',
  'the configuration is gone',
  'the device is held open',
  'somebody reads the device',
  'the peer is Primary',
  'the peer is away',
  'the kernel does not answer',
] as const;
const hands = ['primary', 'secondary', 'down', 'rename', 'lose the volumes'] as const;

type Step = (typeof actions)[number] | (typeof faults)[number] | (typeof hands)[number];
type Situation = {
  readonly generation: 8 | 9;
  readonly begins: 'down' | 'Secondary' | 'Primary';
  readonly steps: readonly Step[];
};

const situations: fc.Arbitrary<Situation> = fc.record({
  generation: fc.constantFrom(8, 9),
  begins: fc.constantFrom('down', 'Secondary', 'Primary'),
  steps: fc.array(
    fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom<Step>(...actions) },
      { weight: 2, arbitrary: fc.constantFrom<Step>(...faults) },
      { weight: 2, arbitrary: fc.constantFrom<Step>(...hands) },
    ),
    { minLength: 1, maxLength: 12 },
  ),
});

const openers = '/sys/kernel/debug/drbd/resources/r0/volumes/0/openers';
const peer = (words: string) => [`beta ${words}`];

class Node {
  readonly drbd: FakeDrbd;
  readonly on = new Set<Step>();

  constructor(generation: 8 | 9) {
    const drbd = new FakeDrbd({ generation, env: timeout(30_000) });
    this.drbd = drbd;
    const has = (fault: Step) => this.on.has(fault);
    const held = () => has('the device is held open') && drbd.state?.role === 'Primary';
    drbd
      .answer('drbdadm primary', () =>
        has('the peer is Primary')
          ? { code: 11, stderr: '0: State change failed: (-1) Multiple primaries\n' }
          : undefined,
      )
      .answer('drbdadm secondary', () => (held() ? busy : undefined))
      .answer('drbdsetup secondary', () => (held() ? busy : undefined))
      .answer('drbdadm down', () =>
        has('somebody reads the device') && generation === 9
          ? { code: 17, stderr: '0: State change failed: (-2) Need access to UpToDate data\n' }
          : undefined,
      )
      .answer('drbdadm', () =>
        has('the configuration is gone') ? { code: 10, stderr: 'no resources defined!\n' } : undefined,
      )
      .answer('drbdadm', () => (has('drbdadm aborts') ? { code: 134 } : undefined))
      .answer('drbdsetup events2', () =>
        has('the kernel does not answer') ? { code: 20, stderr: 'netlink\n' } : undefined,
      );
    const { machine } = drbd;
    const run = machine.run.bind(machine);
    machine.run = async (command) => {
      if (command.argv[0] !== 'drbdadm' || !has('drbdadm hangs')) return run(command);
      machine.clock += command.timeoutMs;
      return { code: 124, stdout: '', stderr: '', hung: 'pid 77 in state D' };
    };
  }

  get isUp(): boolean {
    return this.drbd.state !== undefined;
  }

  get isWithoutConfiguration(): boolean {
    return faults.slice(0, 3).some((fault) => this.on.has(fault));
  }

  /** By its own name. */
  get isOurs(): boolean {
    return this.drbd.state?.name === 'r0';
  }

  toggle(fault: Step): void {
    if (!this.on.delete(fault)) this.on.add(fault);
    const { drbd } = this;
    if (this.on.has('somebody reads the device')) drbd.machine.files.set(openers, 'dd\t77\t1\n');
    else drbd.machine.files.delete(openers);
    if (drbd.state && fault.startsWith('the peer')) {
      const words = this.on.has('the peer is away')
        ? 'Connecting Unknown DUnknown'
        : `Connected ${this.on.has('the peer is Primary') ? 'Primary' : 'Secondary'} UpToDate`;
      drbd.state = { ...drbd.state, connections: resource('Secondary', [], peer(words)).connections };
    }
  }

  byHand(word: (typeof hands)[number]): void {
    const { state } = this.drbd;
    if (!state) return;
    if (word === 'primary') this.drbd.state = { ...state, role: 'Primary' };
    else if (word === 'secondary') this.drbd.state = { ...state, role: 'Secondary' };
    else if (word === 'down') this.drbd.state = undefined;
    else if (word === 'rename') this.drbd.state = { ...state, name: state.name === 'r0' ? 'other' : 'r0' };
    else if (state.role === 'Secondary') this.drbd.state = { ...state, devices: [] };
  }
}

function require(is: boolean, what: string): void {
  if (!is) throw new Error(what);
}

async function judge({ generation, begins, steps }: Situation): Promise<void> {
  const node = new Node(generation);
  const { drbd } = node;
  if (begins !== 'down') drbd.state = resource(begins, volumes(good), peer('Connected Secondary UpToDate'));
  for (const step of steps) {
    if ((faults as readonly string[]).includes(step)) node.toggle(step);
    else if ((hands as readonly string[]).includes(step)) node.byHand(step as (typeof hands)[number]);
    else await judgeAction(node, step as (typeof actions)[number], generation);
  }
  require(!drbd.machine.ran.some((line) => /^drbdsetup primary/.test(line)), 'a promotion without drbdadm');
}

async function judgeAction(node: Node, step: (typeof actions)[number], generation: 8 | 9): Promise<void> {
  const { drbd } = node;
  const { machine } = drbd;
  machine.clock = 0;
  machine.env['OCF_RESKEY_CRM_meta_interval'] = step === 'probe' ? '0' : '10000';
  const before = drbd.state;
  const ran = machine.ran.length;
  const { code, reason } = await act(step === 'probe' ? 'monitor' : step, drbd);
  // Then nobody can say whose a minor is that has another name, unless the agent has seen it before.
  if (node.isUp && !node.isOurs && node.isWithoutConfiguration && (code === 7 || code === 0)) return;
  const after = drbd.state;
  // a Secondary may be another resource that has the minor by right; what the agent has seen of it, it remembers
  const mayBeAnothers = node.isUp && !node.isOurs && after?.role === 'Secondary' && after === before;
  if (mayBeAnothers && (code === 7 || (step === 'stop' && code === 0))) return;
  const isPrimary = after?.role === 'Primary';
  const answers = !node.on.has('the kernel does not answer');
  const isComplete = (after?.devices.length ?? 0) > 0;
  require(machine.clock < 30_000, `${step} did not end in time: ${machine.clock} ms`);
  require(code !== 1 || reason !== '', `${step}: 1 without a word`);
  switch (step) {
    case 'start':
      if (code === 0) require(node.isOurs && !isPrimary && isComplete, 'start 0');
      break;
    case 'stop':
      if (code === 0) require(!node.isUp || !isComplete, 'stop 0 while it is up');
      else require(node.isUp || !answers, `stop ${code} although nothing is up: ${reason}`);
      if (code === 0 && before?.name !== 'r0') require(after === before, 'stop touched what is not ours');
      break;
    case 'promote': {
      const told = machine.ran.slice(ran).some((line) => / primary r0$/.test(line));
      if (code === 0) require(isPrimary && isComplete && (told || generation === 8), 'promote 0');
      break;
    }
    case 'demote':
      if (code === 0) require(node.isOurs && !isPrimary, 'demote 0');
      if (code === 7) require(!node.isUp || !isComplete, 'demote 7 while it is up');
      break;
    case 'reload':
      if (code === 0) require(node.isOurs && isComplete, 'reload 0');
      break;
    default:
      require(after === before, `${step} changed something`);
      if (code === 8) require(node.isOurs && isPrimary, `${step} 8`);
      if (code === 0) require(node.isOurs && !isPrimary && isComplete, `${step} 0`);
      if (code === 7) require((!node.isUp || !isComplete) && answers, `${step} 7 while it is up`);
      if (code === 1) require(!answers || (node.isUp && !node.isOurs), `${step} 1: ${reason}`);
  }
}

test('every answer is what the kernel says', { timeout: longestMs }, async () => {
  await campaign({ file: 'test/host/drbd/campaign.test.ts', situations, runs: 300, judge });
});

test('the kernel in memory is one that the agent can run on', async () => {
  const state = resource('Secondary', volumes(good), peer('Connected Secondary UpToDate'));
  const { code } = await act('monitor', new FakeDrbd({ state }));
  require(code === 0, `monitor ${code}`);
});
