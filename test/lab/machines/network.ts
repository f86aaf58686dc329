import { execa } from 'execa';
import { type Instance, type MachineName, machines, type NetworkName, networks } from '../settings.ts';

const bridge = (network: NetworkName): string => `br${networks.indexOf(network)}`;
export const tap = (machine: MachineName, network: NetworkName): string =>
  `t${networks.indexOf(network)}-${machine}`;

/** Three switches in a network namespace of their own: nothing of the lab is visible to the host, and nothing of the host to it. */
export class Network {
  readonly #namespace: string;

  constructor({ namespace }: Instance) {
    this.#namespace = namespace;
  }

  /** Puts a command into the namespace. */
  inside(command: string, ...args: string[]): [string, string[]] {
    return ['ip', ['netns', 'exec', this.#namespace, command, ...args]];
  }

  async create(): Promise<void> {
    await execa('ip', ['netns', 'add', this.#namespace]);
    await this.#ip('link', 'set', 'lo', 'up');
    for (const network of networks) await this.#addSwitch(network);
    const management = networks.indexOf('management');
    await this.#ip('address', 'add', `10.77.${management}.1/24`, 'dev', bridge('management'));
  }

  async #addSwitch(network: NetworkName): Promise<void> {
    const quiet = ['forward_delay', '0', 'stp_state', '0', 'mcast_snooping', '0'];
    await this.#ip('link', 'add', bridge(network), 'type', 'bridge', ...quiet);
    await this.#ip('link', 'set', bridge(network), 'up');
    for (const machine of machines) {
      await execa(...this.inside('ip', 'tuntap', 'add', 'dev', tap(machine, network), 'mode', 'tap'));
      await this.#ip('link', 'set', tap(machine, network), 'up');
      await this.mend(machine, network);
    }
  }

  /** Pulls a machine's cable; taking the tap down instead would leave the guest's card dead for good. */
  async cut(machine: MachineName, network: Exclude<NetworkName, 'management'>): Promise<void> {
    await this.#ip('link', 'set', tap(machine, network), 'nomaster');
  }

  async mend(machine: MachineName, network: NetworkName): Promise<void> {
    await this.#ip('link', 'set', tap(machine, network), 'master', bridge(network));
  }

  async remove(): Promise<void> {
    await execa('ip', ['netns', 'delete', this.#namespace], { reject: false });
  }

  async #ip(...args: string[]): Promise<void> {
    await execa('ip', ['-n', this.#namespace, ...args]);
  }
}
