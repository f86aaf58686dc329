import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import fs from 'fs-extra';
import type { Image } from '../image/image.ts';
import type { Kernel } from '../image/kernel.ts';
import {
  addressOf,
  hostNumber,
  type Instance,
  type MachineName,
  networks,
  stateFolder,
} from '../settings.ts';
import { type Network, tap } from './network.ts';
import { killMachine } from './processes.ts';

export interface Limits {
  signal: AbortSignal;
  /** Milliseconds; a command that touches a dead NFS mount would hang for good. */
  timeout?: number;
}

/** What a machine is made of, and what all machines of a lab share. */
export interface Hardware {
  lab: Instance;
  network: Network;
  kernel: Kernel;
  image: Image;
  /** A tar archive that every machine has as its third disk: a hundred megabytes come faster from there than over ssh. */
  parcel?: string | undefined;
}

const memory = '512M';
const diskSize = '384M'; // mkfs.xfs refuses less than 300 MB

/** One User-Mode Linux machine, and the ssh connection that is its console. */
export class Machine {
  readonly name: MachineName;
  readonly #hardware: Hardware;
  pid: number | undefined;

  constructor(name: MachineName, hardware: Hardware, pid?: number) {
    this.name = name;
    this.#hardware = hardware;
    this.pid = pid;
  }

  get logFile(): string {
    return this.#file('log');
  }

  #file(extension: string): string {
    return join(this.#hardware.lab.folder, `${this.name}.${extension}`);
  }

  /** A new machine: what an earlier one wrote is gone. */
  async create(): Promise<void> {
    await this.discard();
    await fs.remove(this.logFile);
    await execa('truncate', ['-s', diskSize, this.#file('disk')]);
  }

  async discard(): Promise<void> {
    await fs.remove(this.#file('cow'));
    await fs.remove(this.#file('disk'));
  }

  async boot(): Promise<void> {
    const { network, kernel, lab } = this.#hardware;
    await fs.remove(join(lab.sockets, 'uml', this.name));
    await fs.ensureDir(join(lab.sockets, 'uml'));
    const log = openSync(this.logFile, 'a');
    const uml = join(import.meta.dirname, 'uml.sh');
    const child = spawn(
      ...network.inside(
        uml,
        kernel.root ?? '',
        kernel.given ?? 'linux.uml',
        stateFolder,
        ...this.#commandLine(),
      ),
      {
        detached: true,
        stdio: ['ignore', log, log],
      },
    );
    closeSync(log);
    child.unref();
    this.pid = child.pid;
  }

  #commandLine(): string[] {
    const { image, kernel, lab, parcel } = this.#hardware;
    const number = hostNumber[this.name];
    const cards = networks.map((network, index) => {
      const mac = `02:77:${index.toString().padStart(2, '0')}:00:00:${number}`;
      return `vec${index}:transport=tap,ifname=${tap(this.name, network)},depth=64,gro=1,mac=${mac}`;
    });
    return [
      `mem=${memory}`,
      `umid=${this.name}`,
      `uml_dir=${lab.sockets}/uml`,
      `ubd0=${this.#file('cow')},${image.disk}`,
      `ubd1=${this.#file('disk')}`,
      ...(parcel ? [`ubd2r=${parcel}`] : []),
      ...['root=/dev/ubda', 'rootfstype=ext4', 'rw'],
      ...cards,
      ...['con=null', 'con0=null,fd:1', 'con1=null,fd:1', 'ssl=null'],
      `lab.number=${number}`,
      `systemd.hostname=${this.name}`,
      `systemd.machine_id=${number.toString(16).padStart(32, '7')}`,
      ...['systemd.show_status=0', 'systemd.log_level=warning', 'panic=1', 'noreboot'],
      ...kernel.options,
    ];
  }

  /** Returns once a shell answers. */
  async answers(signal: AbortSignal): Promise<void> {
    const socket = this.#socket();
    for (;;) {
      await fs.remove(socket);
      const master = spawn(...this.#ssh('-M', '-N'), { detached: true, stdio: 'ignore' });
      master.unref();
      while (master.exitCode === null && master.signalCode === null) {
        if (fs.existsSync(socket)) return;
        await sleep(50, undefined, { signal });
      }
      await sleep(200, undefined, { signal });
    }
  }

  #socket(): string {
    return join(this.#hardware.lab.sockets, `ssh-${this.name}`);
  }

  #ssh(...options: string[]): [string, string[]] {
    const settings = [
      'StrictHostKeyChecking=no',
      'UserKnownHostsFile=/dev/null',
      'LogLevel=ERROR',
      'ConnectTimeout=5',
      'ServerAliveInterval=5',
      'ServerAliveCountMax=3',
      `ControlPath=${this.#socket()}`,
    ].flatMap((setting) => ['-o', setting]);
    const { network, image } = this.#hardware;
    const target = `root@${addressOf(this.name, 'management')}`;
    return network.inside('ssh', '-F', 'none', '-i', image.sshKey, ...settings, ...options, target);
  }

  /** A command line for this machine's shell, as one for the host. */
  remote(command: string, ...options: string[]): [string, string[]] {
    const [file, args] = this.#ssh(...options);
    return [file, [...args, command]];
  }

  /** What the command printed; it must succeed. */
  async run(command: string, { signal, timeout = 240_000 }: Limits): Promise<string> {
    const options = { cancelSignal: signal, timeout, stdin: 'ignore', reject: false } as const;
    const result = await execa(...this.remote(command), options);
    signal.throwIfAborted();
    if (!result.failed) return result.stdout;
    const how = result.timedOut ? `no end within ${timeout / 1000} s` : `exit status ${result.exitCode}`;
    throw new Error(`${this.name}: ${command}: ${how}: ${result.stderr}`);
  }

  /** What the command printed, or '' when it failed or the machine does not answer. */
  async ask(command: string, { signal, timeout = 20_000 }: Limits): Promise<string> {
    const options = { cancelSignal: signal, timeout, stdin: 'ignore', reject: false } as const;
    const { stdout, failed } = await execa(...this.remote(command), options);
    signal.throwIfAborted();
    return failed ? '' : stdout;
  }

  /** The command on this terminal; its exit status. */
  async attach(command: string): Promise<number> {
    const terminal = process.stdin.isTTY ? ['-t'] : [];
    const { exitCode } = await execa(...this.remote(command, ...terminal), {
      stdio: 'inherit',
      reject: false,
    });
    return exitCode ?? 1;
  }

  /** A program that goes on by itself, and whose output is read as it comes. */
  follow(command: string): ChildProcessByStdio<null, Readable, null> {
    return spawn(...this.remote(command), { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
  }

  /** Lays the files below a folder of the host over a folder of the machine. */
  async copyIn(folder: string, target: string, { signal, timeout = 240_000 }: Limits): Promise<void> {
    const limits = { cancelSignal: signal, timeout };
    const unpack = `mkdir -p ${target} && tar -C ${target} --no-overwrite-dir -x && sync`;
    await execa('tar', ['-C', folder, '--owner=0', '--group=0', '-c', '.'], {
      ...limits,
      buffer: false,
    }).pipe(...this.remote(unpack), limits);
  }

  /** Lays what is in the parcel over the machine's root. */
  async unpackParcel({ signal, timeout = 240_000 }: Limits): Promise<void> {
    await this.run('tar -C / --no-overwrite-dir -xf /dev/ubdc && sync', { signal, timeout });
  }

  async write(path: string, content: string, { signal, timeout = 240_000 }: Limits): Promise<void> {
    await execa(...this.remote(`cat > ${path}`), { input: content, cancelSignal: signal, timeout });
  }

  /** `kill -9` of the whole machine. What it had written to its disks stays, for the next boot. */
  async kill(): Promise<void> {
    if (this.pid) await killMachine(this.pid);
    this.pid = undefined;
    await this.hangUp();
  }

  async hangUp(): Promise<void> {
    const [file, args] = this.#ssh('-O', 'exit');
    await execa(file, args, { reject: false, timeout: 5_000, stdio: 'ignore' });
    await fs.remove(this.#socket());
  }
}
