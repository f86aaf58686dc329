import { readFileSync } from 'node:fs';
import { textOf } from '../../cli/apply/workshop.ts';
import {
  agentName,
  isInMaintenance,
  outdated,
  type Provider,
  recordedIn,
} from '../../cli/facts/migration.ts';
import { below, type Element, attribute as of, parseXml, within } from '../../cli/facts/xml.ts';
import { agentsIn, withAgents } from '../../cli/migrate/agents.ts';
import { type AgentName, agentType, resourceIds } from '../../cli/stack.ts';
import type { FakePair } from './pair.ts';

const names = Object.keys(resourceIds) as AgentName[];
const ids = names.map((name) => resourceIds[name]);

/**
 * Pacemaker below a `FakePair`, as far as a change of the agents needs it. It takes a patch only for the configuration that it was made
 * of, forgets and looks again, and outside maintenance mode it restarts whatever was written down by another agent than the configured one.
 */
export class FakePacemaker {
  /** What `cibadmin --query` says. */
  cib: string;
  /** What was restarted: the harm that must never be done. */
  readonly restarted: string[] = [];
  /** Answers of agents that are others than what is true, by `node resource agent`. */
  readonly answers = new Map<string, number>();
  /** Agents that no node has. */
  readonly absent = new Set<string>();
  /** Parameters that an agent has no word for. */
  readonly unknown = new Set<string>();
  /** Answers to `tsha node agents`; null without ssh. */
  missingThere: readonly string[] | null = [];
  /** Something that Pacemaker would do all the same. */
  wish: string | null = null;
  /** What becomes of it while somebody waits until Pacemaker has nothing to do; its exit status. */
  onWait: () => number = () => 0;
  /** The words of every program that changes something, in their order. */
  readonly done: string[] = [];
  readonly #truth: ReadonlyMap<string, number>;
  #draft: { readonly base: string; readonly next: string } | null = null;

  constructor(pair: FakePair, provider: Provider, original: string) {
    const cib = parseXml(original);
    this.#truth = new Map(
      recordedIn(cib).map(({ node, resource, state }) => [`${node} ${resource}`, state?.code ?? 7]),
    );
    const wanted = new Map(names.map((name) => [resourceIds[name], agentType(name, provider)]));
    this.cib = textOf(this.#lookedAt(withAgents(cib, wanted), ids));
    for (const machine of Object.values(pair.machines)) {
      const mon = machine.handler('crm_mon');
      machine.on('cibadmin', (args) => this.#cibadmin(args));
      machine.on('crm_diff', (args) => this.#diff(args));
      machine.on('crm_simulate', (args) => this.#simulate(args[args.indexOf('--xml-file') + 1] ?? ''));
      machine.on('crm_resource', (args) => this.#resource(args));
      machine.on('crm_mon', async (args, command) => {
        const output = await mon?.(args, command);
        const text = typeof output === 'string' ? output : (output?.stdout ?? '');
        const cib = parseXml(this.cib);
        const shown = this.#shown(text, cib);
        return isInMaintenance(cib)
          ? shown.replace('maintenance-mode="false"', 'maintenance-mode="true"')
          : shown;
      });
      machine.on('ssh', () =>
        this.missingThere === null
          ? { code: 255, stderr: 'Permission denied (publickey).\n' }
          : JSON.stringify({ missing: this.missingThere }),
      );
    }
  }

  get agents(): readonly string[] {
    return [...agentsIn(parseXml(this.cib), ids).values()];
  }

  /** Whose they are; `mixed` must never be, outside maintenance mode. */
  get provider(): Provider | 'mixed' {
    const now = this.agents;
    if (now.every((agent) => agent.startsWith('ocf:tsha:'))) return 'tsha';
    return now.some((agent) => agent.startsWith('ocf:tsha:')) ? 'mixed' : 'stock';
  }

  get isInMaintenance(): boolean {
    return isInMaintenance(parseXml(this.cib));
  }

  /** Of the configuration; the entry is an administrator's. */
  set(name: string, value: string): void {
    this.cib = this.cib.replace(
      /(<cluster_property_set [^>]*>)/,
      `$1<nvpair id="own-${name}" name="${name}" value="${value}"/>`,
    );
  }

  #cibadmin(args: readonly string[]) {
    if (args[0] === '--query') return this.cib;
    if (args[0] !== '--patch' || this.#draft === null) return { code: 64, stderr: 'usage\n' };
    if (this.#draft.base !== versionOf(this.cib)) return { code: 103, stderr: 'Update was older\n' };
    this.cib = this.#draft.next;
    this.done.push('patch');
    this.#lookAfter();
    return '';
  }

  /** Nothing runs of what is switched off, or no longer configured. */
  #shown(text: string, cib: Element): string {
    const on = within(cib, 'clone', 'group')
      .filter((one) => targetRole(one) !== 'Stopped')
      .flatMap((one) => within(one, 'primitive'));
    const runs = new Set(on.map((one) => of(one, 'id')));
    return text.replace(
      /<resource id="([^"]*)"( resource_agent="[^"]*")[^>]*[^/]>\s*<node [^>]*>\s*<\/resource>/g,
      (whole, id: string, agent: string) =>
        runs.has(id) ? whole : `<resource id="${id}"${agent} role="Stopped" active="false" managed="true"/>`,
    );
  }

  #diff(args: readonly string[]) {
    if (args.includes('--patch')) return this.#draft?.next ?? { code: 65, stderr: 'no patch\n' };
    const file = (name: string) => readFileSync(args[args.indexOf(name) + 1] ?? '', 'utf8');
    this.#draft = { base: versionOf(file('--original')), next: file('--new') };
    return { code: 1, stdout: '<diff format="2"/>\n' };
  }

  #simulate(file: string): string {
    const cib = parseXml(readFileSync(file, 'utf8'));
    const actions = isInMaintenance(cib)
      ? []
      : [
          ...within(cib, 'clone', 'group')
            .filter((one) => targetRole(one) === 'Stopped')
            .flatMap((one) => within(one, 'primitive').map((member) => of(member, 'id')))
            .flatMap((resource) =>
              ['node1', 'node2']
                .filter((node) => (this.#truth.get(`${node} ${resource}`) ?? 7) !== 7)
                .map((node) => ['stop', resource, node]),
            ),
          ...outdated(cib).map(({ resource, node }) => ['restart', resource, node]),
          ...recordedIn(cib)
            .filter(
              ({ node, resource, state }) =>
                state && state.code !== 5 && state.code !== this.#truth.get(`${node} ${resource}`),
            )
            .map(({ resource, node }) => ['start', resource, node]),
          ...(this.wish === null ? [] : [['move', this.wish, 'node1']]),
        ];
    const lines = actions.map(
      ([action, resource, node]) => `<rsc_action action="${action}" resource="${resource}" node="${node}"/>`,
    );
    return `<pacemaker-result><actions>${lines.join('')}</actions></pacemaker-result>\n`;
  }

  #resource(args: readonly string[]) {
    const [verb = '', word = ''] = args;
    if (verb === '--wait') return { code: this.onWait() };
    if (verb === '--resource') return this.#setRole(args);
    if (verb === '--show-metadata') return this.#metaData(word);
    if (verb !== '--refresh') return { code: 64, stderr: 'usage\n' };
    const cib = parseXml(this.cib);
    const container = within(cib, 'clone', 'group').find((one) => of(one, 'id') === args.at(-1));
    const inside = container ? within(container, 'primitive').map((one) => of(one, 'id')) : [];
    this.done.push(`refresh ${args.at(-1)}`);
    this.cib = textOf(this.#lookedAt(cib, inside));
    return '';
  }

  #setRole(args: readonly string[]) {
    const id = args[1] ?? '';
    const value = args.includes('--delete-parameter') ? '' : (args.at(-1) ?? '');
    const changed = (element: Element): Element => {
      if (of(element, 'id') !== id)
        return { ...element, children: element.children.map((child) => changed(child)) };
      const set = `${id}-meta_attributes`;
      const others = element.children.filter((child) => of(child, 'id') !== `${set}-target-role-set`);
      const pair = { id: `${set}-target-role`, name: 'target-role', value };
      const role: Element = {
        name: 'meta_attributes',
        attributes: { id: `${set}-target-role-set` },
        children: [{ name: 'nvpair', attributes: pair, children: [] }],
      };
      return { ...element, children: value === '' ? others : [...others, role] };
    };
    const cib = changed(parseXml(this.cib));
    this.done.push(`${value === '' ? 'reset' : value} ${id}`);
    this.cib = textOf({
      ...cib,
      attributes: { ...cib.attributes, epoch: String(Number(of(cib, 'epoch')) + 1) },
    });
    return '';
  }

  #metaData(agent: string) {
    if (this.absent.has(agent)) return { code: 5, stderr: `Metadata query for ${agent} failed\n` };
    const parameters = within(parseXml(this.cib), 'instance_attributes')
      .flatMap(({ children }) => children)
      .map((pair) => of(pair, 'name'))
      .filter((name) => !this.unknown.has(name))
      .map((name) => `<parameter name="${name}"/>`);
    return `<?xml version="1.0"?>\n<resource-agent name="x"><parameters>${parameters.join('')}</parameters></resource-agent>\n`;
  }

  /** What is written down of these resources once their agents have looked. */
  #lookedAt(cib: Element, resources: readonly string[]): Element {
    const configured = new Map(within(cib, 'primitive').map((one) => [of(one, 'id'), agentName(one)]));
    const looked = (element: Element, node: string): Element => {
      const here = element.name === 'node_state' ? of(element, 'uname') : node;
      const id = of(element, 'id');
      if (element.name !== 'lrm_resource' || !resources.includes(id))
        return { ...element, children: element.children.map((child) => looked(child, here)) };
      const agent = configured.get(id) ?? '';
      const [standard = '', provider = '', type = ''] = agent.split(':');
      const code = this.answers.get(`${here} ${id} ${agent}`) ?? this.#truth.get(`${here} ${id}`) ?? 7;
      return {
        name: 'lrm_resource',
        attributes: { id, class: standard, provider, type },
        children: [
          {
            name: 'lrm_rsc_op',
            attributes: {
              ...{ id: `${id}_last_0`, operation: 'monitor', interval: '0', 'call-id': '1' },
              ...{ 'rc-code': String(code), 'op-status': '0', 'exit-reason': '' },
            },
            children: [],
          },
        ],
      };
    };
    return looked(cib, '');
  }

  #lookAfter(): void {
    const cib = parseXml(this.cib);
    if (isInMaintenance(cib)) return;
    this.restarted.push(...outdated(cib).map(({ resource, node }) => `${resource} (${node})`));
  }
}

const targetRole = (container: Element): string | undefined =>
  below(container, 'meta_attributes', 'nvpair')
    .filter((pair) => of(pair, 'name') === 'target-role')
    .map((pair) => of(pair, 'value'))[0];

const versionOf = (text: string): string => {
  const root = parseXml(text);
  return ['admin_epoch', 'epoch', 'num_updates'].map((name) => of(root, name)).join('.');
};

const known = new WeakMap<FakePair, FakePacemaker>();

/** The pair with agents of that provider, and the Pacemaker below it. */
export async function pacemakerBelow(pair: FakePair, provider: Provider): Promise<FakePacemaker> {
  const { stdout } = await pair.machines.node2.run({ argv: ['cibadmin', '--query'], timeoutMs: 1 });
  const pacemaker = new FakePacemaker(pair, provider, stdout);
  known.set(pair, pacemaker);
  return pacemaker;
}

export function pacemakerOf(pair: FakePair): FakePacemaker {
  const found = known.get(pair);
  if (!found) throw new Error('there is no Pacemaker below this pair');
  return found;
}
