import { join } from 'node:path';
import { execa } from 'execa';
import fs from 'fs-extra';
import type { Image } from '../image/image.ts';
import type { Kernel } from '../image/kernel.ts';
import {
  type Instance,
  instance,
  type LabName,
  type MachineName,
  machines,
  type NodeName,
  nodes,
} from '../settings.ts';
import { Machine } from './machine.ts';
import { Network } from './network.ts';
import { isAlive } from './processes.ts';

interface Parts {
  image: Image;
  kernel: Kernel;
  /** Archive of what the machines are to get beside the image. */
  parcel?: string | undefined;
}

interface LabRecord extends Parts {
  owner: number;
  pids: Partial<Record<MachineName, number>>;
}

const recordFile = ({ folder }: Instance): string => join(folder, 'lab.json');

/** Four machines, three switches, and a record on disk by which a later process finds them again. */
export class Lab {
  readonly instance: Instance;
  readonly image: Image;
  readonly kernel: Kernel;
  readonly network: Network;
  readonly #parcel: string | undefined;
  readonly #machines: Map<MachineName, Machine>;

  private constructor(name: LabName, { image, kernel, parcel }: Parts, pids: LabRecord['pids'] = {}) {
    this.instance = instance(name);
    this.image = image;
    this.kernel = kernel;
    this.network = new Network(this.instance);
    this.#parcel = parcel;
    const hardware = { lab: this.instance, network: this.network, kernel, image, parcel };
    this.#machines = new Map(machines.map((name) => [name, new Machine(name, hardware, pids[name])]));
  }

  /** `content`: a folder whose files the machines are to get with `unpackParcel`. */
  static async create(name: LabName, image: Image, kernel: Kernel, content: string): Promise<Lab> {
    await Lab.remove(name);
    const { folder } = instance(name);
    await fs.ensureDir(folder);
    const parcel = join(folder, 'parcel.tar');
    await execa('tar', ['-C', content, '--owner=0', '--group=0', '-cf', parcel, '.']);
    const lab = new Lab(name, { image, kernel, parcel });
    await fs.ensureDir(lab.instance.sockets, 0o700);
    await lab.#record();
    await lab.network.create();
    for (const machine of lab.all) await machine.create();
    return lab;
  }

  /** A lab that `--keep` left running. */
  static async find(name: LabName): Promise<Lab | undefined> {
    const record = await readRecord(name);
    return record && new Lab(name, record, record.pids);
  }

  /** Takes away what any earlier run left, unless that run is still going on. */
  static async remove(name: LabName): Promise<boolean> {
    const record = await readRecord(name);
    if (record && record.owner !== process.pid && isAlive(record.owner))
      throw new Error(
        `process ${record.owner} runs the ${instance(name).name} lab in ${instance(name).folder} at this moment`,
      );
    const lab = await Lab.find(name);
    await lab?.remove();
    return lab !== undefined;
  }

  get all(): Machine[] {
    return [...this.#machines.values()];
  }

  get nodes(): Machine[] {
    return nodes.map((name) => this.machine(name));
  }

  machine(name: MachineName): Machine {
    const machine = this.#machines.get(name);
    if (!machine) throw new Error(`there is no machine called ${name}`);
    return machine;
  }

  async boot(names: readonly MachineName[], signal: AbortSignal): Promise<void> {
    for (const name of names) await this.machine(name).boot();
    await this.#record();
    await Promise.all(names.map((name) => this.machine(name).answers(signal)));
  }

  async kill(node: NodeName): Promise<void> {
    await this.machine(node).kill();
    await this.#record();
  }

  /** Leaves everything running, and belongs to no process from now on. */
  async release(): Promise<void> {
    await this.#record(0);
  }

  async remove(): Promise<void> {
    await Promise.all(this.all.map((machine) => machine.kill()));
    await this.network.remove();
    await fs.remove(this.instance.sockets);
    for (const machine of this.all) await machine.discard();
    if (this.#parcel) await fs.remove(this.#parcel);
    await fs.remove(recordFile(this.instance));
  }

  async #record(owner = process.pid): Promise<void> {
    const pids = Object.fromEntries(this.all.map(({ name, pid }) => [name, pid]));
    const record: LabRecord = { owner, image: this.image, kernel: this.kernel, parcel: this.#parcel, pids };
    await fs.writeJson(recordFile(this.instance), record, { spaces: 2 });
  }
}

async function readRecord(name: LabName): Promise<LabRecord | undefined> {
  const file = recordFile(instance(name));
  return (await fs.pathExists(file)) ? ((await fs.readJson(file)) as LabRecord) : undefined;
}
