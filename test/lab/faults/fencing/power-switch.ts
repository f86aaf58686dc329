import { type ChildProcess, spawn } from 'node:child_process';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import fs from 'fs-extra';
import type { Run } from '../../scenarios/run.ts';
import { type NodeName, nodes } from '../../settings.ts';
import { isOn, switchOff, switchOn } from '../power.ts';

const address = '10.77.2.1';
const port = 7000;

export type Answer = 'ok' | 'off' | `ok ${string}` | `error ${string}`;

/** What it was asked to do; seconds since 1970. */
export interface Switched {
  time: number;
  action: string;
  node: string;
}

/** What a switch can do to machines. */
export interface Outlets {
  isOn(node: NodeName): boolean;
  off(node: NodeName): Promise<void>;
  /** Returns when the machine begins to boot. */
  on(node: NodeName): void;
}

const isNode = (name: string | undefined): name is NodeName => nodes.some((node) => node === name);

/** One question of a fence agent, `ACTION MACHINE`, as a real power switch would answer it. */
export async function answer(question: string, outlets: Outlets): Promise<Answer> {
  const [action, name] = question.trim().split(' ');
  if (action === 'monitor') return 'ok';
  if (action === 'list') return `ok ${nodes.join(' ')}`;
  if (!isNode(name)) return `error there is no machine ${name}`;
  if (action === 'status') return outlets.isOn(name) ? 'ok' : 'off';
  if (action === 'off' || action === 'reboot') await outlets.off(name);
  if (action === 'on' || action === 'reboot') outlets.on(name);
  return action === 'on' || action === 'off' || action === 'reboot' ? 'ok' : `error no action ${action}`;
}

/** Stands outside the machines; the nodes reach it over the management network, which no fault touches. */
export class PowerSwitch {
  readonly #run: Run;
  readonly #server: Server;
  readonly #booting = new AbortController();
  #door: ChildProcess | undefined;
  readonly log: Switched[] = [];

  constructor(run: Run) {
    this.#run = run;
    this.#server = createServer((connection) => this.#serve(connection));
  }

  async start(): Promise<void> {
    const { lab } = this.#run;
    const socket = join(lab.instance.sockets, 'power');
    await fs.remove(socket);
    await new Promise<void>((resolve) => this.#server.listen(socket, resolve));
    const door = join(import.meta.dirname, 'door.mjs');
    const command = lab.network.inside(process.execPath, door, address, String(port), socket);
    this.#door = spawn(...command, { stdio: ['pipe', 'ignore', 'inherit'] });
  }

  stop(): void {
    this.#booting.abort(new Error('the lab ends'));
    this.#door?.stdin?.end();
    this.#server.close();
  }

  #serve(connection: Socket): void {
    connection.on('error', () => connection.destroy());
    connection.once('data', (data) => {
      const question = data.toString();
      const [action = '', node = ''] = question.trim().split(' ');
      if (['on', 'off', 'reboot'].includes(action)) this.log.push({ time: Date.now() / 1000, action, node });
      answer(question, this.#outlets).then(
        (text) => connection.end(`${text}\n`),
        (error: unknown) => connection.end(`error ${error}\n`),
      );
    });
  }

  readonly #outlets: Outlets = {
    isOn: (node) => isOn(this.#run, node),
    off: async (node) => await switchOff(this.#run, node),
    on: (node) => void this.#boot(node),
  };

  /** Until it is up; one that is switched off again while it boots is another call's. */
  async #boot(node: NodeName): Promise<void> {
    for (;;)
      try {
        return await switchOn(this.#run, node, this.#booting.signal);
      } catch {
        if (this.#booting.signal.aborted || !isOn(this.#run, node)) return;
      }
  }
}
