import { readlinkSync } from 'node:fs';
import { createLog, type Log, type LogSinks, logRoute } from '../contract/log.ts';
import { exitCode, Failure, type Outcome } from '../contract/outcome.ts';
import type { ParamTable } from '../contract/params.ts';
import { reasonLine, wordsOf } from '../contract/reason.ts';
import { readRequest } from '../contract/request.ts';
import { commandLine } from '../host/host.ts';
import type { Sink } from '../host/sys/children.ts';
import { trueEnvironment } from '../host/sys/environment.ts';
import type { NodeSys } from '../host/sys/node-sys.ts';
import { nodeSys } from '../host/sys/node-sys.ts';
import { children } from '../host/sys/runtime.ts';
import type { AgentDef } from './agent.ts';
import { appending, type Outlet, standard } from './outlet.ts';
import { marginMs, type Result, resultOf, runAction } from './run.ts';
import { isTraced } from './trace.ts';

/** A result this late after the deadline of every command means that no command is to blame. */
const graceMs = 250;
/** For the last log lines to reach logger; a logger that hangs must not delay the answer. */
const flushMs = 300;

/**
 * The only file that touches the real process, and the only way out of it. `meta-data` never gets here: the launcher in front
 * of every bundle prints the document that was rendered at build time. `beneath`: for agents that work on files of others
 * (lib/ocf/beneath.ts).
 */
export function main<T extends ParamTable>(
  agent: AgentDef<T>,
  beneath?: () => Promise<{ serveBeneath(): void }>,
): void {
  process.exitCode = exitCode.failed; // what a promise that never settles ends with
  const [action = ''] = process.argv.slice(2);
  const stderr = standard(2);
  let leaving = false;
  const leave = (result: Result) => {
    if (leaving) return;
    leaving = true;
    if (result.reason) {
      const prefix = process.env['OCF_EXIT_REASON_PREFIX'] || 'ocf-exit-reason:';
      stderr(`${prefix}${reasonLine(result.reason)}\n`);
    }
    process.exit(result.code);
  };
  const abort = (reason: string) => leave(resultOf('failed', reason));
  // An exception inside these handlers would end Node with 7, "not running": nothing here can throw.
  process.on('uncaughtException', (error) => abort(`unexpected: ${wordsOf(error)}`));
  process.on('unhandledRejection', (error) => abort(`unexpected: ${wordsOf(error)}`));
  process.on('beforeExit', () => abort(`${action} ended without a result`));

  if (Number(process.versions.node.split('.')[0]) < 20) {
    const reason = `Node ${process.versions.node} is too old: 20 is needed`;
    const outcome = action === 'stop' ? 'failed' : 'notInstalled';
    leave(resultOf(outcome, reason));
  }
  process.umask(0o022); // Pacemaker's is 0026, which would make mount points that only root can enter
  process.chdir('/'); // the caller's directory may be deleted, or on what is to be unmounted

  if (action === 'beneath' && beneath) {
    beneath()
      .then(({ serveBeneath }) => {
        serveBeneath();
        leave(resultOf('ok'));
      })
      .catch((error) => abort(`unexpected: ${wordsOf(error)}`));
    return;
  }
  perform(agent, action, stderr, leave).catch((error) => abort(`unexpected: ${wordsOf(error)}`));
}

/** What the process is for; what only few calls need is loaded for them. */
async function perform<T extends ParamTable>(
  agent: AgentDef<T>,
  action: string,
  stderr: Outlet,
  leave: (result: Result) => void,
): Promise<void> {
  const asksForUsage = ['usage', 'help', 'methods', '--help', '-h'].includes(action);
  if (asksForUsage || !action) {
    const text = (await import('./usage.ts')).usage(agent as unknown as AgentDef<ParamTable>);
    if (asksForUsage) {
      standard(1)(text);
      return leave(resultOf('ok'));
    }
    stderr(text);
  }

  // The native flavour is one program for all agents, and takes the name first; Node is told how to run the script.
  const self = process.versions['bun'] ? [agent.name] : [...process.execArgv, process.argv[1] ?? ''];
  const env = trueEnvironment(process.env);
  const machine = nodeSys(env, [process.execPath, ...self]);
  const request = readRequest(action, env);
  const tag = `${agent.name}(${request.instance})[${process.pid}]`;
  const terminal = isTerminal(2);
  const route = logRoute(process.env, terminal);
  const pipes = logPipes();
  const log = createLog(tag, process.env, route, {
    stderr,
    file: logFiles(),
    pipe: pipes.write,
  });
  const interrupted = interruption(action, request.timeoutMs, machine);
  const sys = isTraced(process.env)
    ? (await import('./tracing.ts')).tracing(agent.name, action, terminal ? stderr : undefined, machine)
    : machine;

  const result = await runAction(agent, action, sys, log, interrupted);
  machine.killUnderway();
  if (result.reason && (route.to === 'logd' || route.to === 'system')) logReason(log, result);
  await pipes.flush();
  leave(result);
}

/**
 * Without syslog or file the reason on stderr is already all there is to say. What is degraded is so for hours: its agent logs
 * that when it changes.
 */
function logReason(log: Log, { outcome, reason = '' }: Result): void {
  const silent: readonly Outcome[] = ['unimplemented', 'degraded', 'degradedPromoted'];
  if (!silent.includes(outcome)) log.error(reason);
}

/** Settles when the action must end although it has not: its deadline, or a signal. */
function interruption(action: string, timeoutMs: number, sys: NodeSys): Promise<Failure> {
  return new Promise((resolve) => {
    const end = (why: string) => {
      const stuck = sys.underway();
      const facts = stuck.map(({ argv, describe, sinceMs }) => {
        const seconds = ((sys.now() - sinceMs) / 1000).toFixed(0);
        return `"${commandLine(argv)}" for ${seconds} s (${describe()})`;
      });
      sys.killUnderway();
      resolve(
        new Failure('failed', `${why}${facts.length > 0 ? `, still running: ${facts.join('; ')}` : ''}`),
      );
    };
    const ms = timeoutMs - marginMs(timeoutMs) + graceMs - sys.now();
    setTimeout(
      () => end(`${action} did not end within ${(timeoutMs / 1000).toFixed(0)} s`),
      Math.max(0, ms),
    ).unref();
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
      process.on(signal, () => end(`${action} was ended by ${signal}`));
  });
}

/** isatty(3) by the name of the file: node:tty would bring the whole of node:net, 2 ms of every monitor. */
function isTerminal(fd: number): boolean {
  try {
    return /^\/dev\/(pts\/|tty|console|hvc)/.test(readlinkSync(`/proc/self/fd/${fd}`));
  } catch {
    return false;
  }
}

function logFiles(): LogSinks['file'] {
  const open = new Map<string, Outlet>();
  return (path, text) => {
    const file = open.get(path) ?? appending(path);
    open.set(path, file);
    file(text);
  };
}

/** What hangs on a syslog that does not answer must not become one process more with every monitor. */
const loggerSeconds = 60;

/** One `logger` process for all lines of this run: syslog has no other door in Node. It may take longer than this run. */
function logPipes(): { write: LogSinks['pipe']; flush(): Promise<void> } {
  let opening: Promise<Sink | undefined> | undefined;
  return {
    write(argv, text) {
      opening ??= children()
        .then(({ feed }) => feed(['timeout', String(loggerSeconds), ...argv], process.env))
        .catch(() => undefined);
      void opening.then((logger) => logger?.write(text));
    },
    async flush() {
      const logger = await opening;
      if (logger) await Promise.race([logger.end(), new Promise((resolve) => setTimeout(resolve, flushMs))]);
    },
  };
}
