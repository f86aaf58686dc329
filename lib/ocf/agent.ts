import type { Log } from '../contract/log.ts';
import type { Health, Report } from '../contract/outcome.ts';
import type { Params, ParamTable } from '../contract/params.ts';
import type { Request } from '../contract/request.ts';
import type { Host } from '../host/host.ts';
import type { Memory } from '../host/memory.ts';

export type Seconds = `${number}s`;
export type Role = 'Promoted' | 'Unpromoted';

/** One `<action>` line of the meta-data. */
export type Timing = {
  readonly timeout: Seconds;
  readonly interval?: Seconds;
  readonly depth?: number;
  readonly role?: Role;
};

export type Context<T extends ParamTable> = {
  readonly params: Params<T>;
  readonly host: Host;
  readonly log: Log;
  /** `depth` is the check level, rounded down to one that the agent declares. */
  readonly request: Request & { readonly depth: number };
  /** Facts about this instance since boot. They help; the machine decides. */
  readonly memory: Memory;
};

/** An action: returns when the work is done and verified, throws `Failure` otherwise. */
export type Work<T extends ParamTable> = (ctx: Context<T>) => Promise<void>;
/** A look at the machine, without effects on it. */
export type Look<T extends ParamTable> = (ctx: Context<T>) => Promise<Health | Report>;

/** A notification by its CRM_meta_notify_type and _operation. */
export type Notification = `${'pre' | 'post'}-${'start' | 'stop' | 'promote' | 'demote'}`;

type Does<T extends ParamTable> = Timing & { readonly run: Work<NoInfer<T>> };

export type Actions<T extends ParamTable> = {
  readonly start: Does<T>;
  readonly stop: Does<T>;
  readonly monitor: Timing & {
    /** Further lines of the meta-data: pcs makes a recurring monitor of each when a resource is created without `op monitor`. */
    readonly also?: readonly Timing[];
    /**
     * Check levels above 0 that the monitor understands: whoever wants one sets OCF_CHECK_LEVEL of an operation. The meta-data
     * lists them as lines of `status`, of which no front end makes an operation.
     */
    readonly depths?: readonly number[];
    readonly run: Look<NoInfer<T>>;
  };
  /** Level 10 and above only: may look at this host. Level 0 is the parameter table and `rules`. */
  readonly 'validate-all': Timing & { readonly run?: Work<NoInfer<T>> };
  readonly promote?: Does<T>;
  /** May answer "not running" for a resource that cannot be demoted because it is not there. */
  readonly demote?: Timing & { readonly run: Work<NoInfer<T>> | Look<NoInfer<T>> };
  readonly notify?: Does<T> & {
    /** Nothing is ever to be done for these: the launcher answers them, because the whole cluster waits for the answer. */
    readonly needless?: readonly Notification[];
  };
  readonly 'reload-agent'?: Does<T>;
  /** Only for people: Pacemaker does not call it for an OCF 1.1 agent. */
  readonly reload?: Does<T>;
};

export type AgentDef<T extends ParamTable> = {
  readonly name: string;
  readonly short: string;
  readonly params: T;
  /** Commands without which start cannot work: missing ones end start with "not installed". */
  readonly needs: readonly string[];
  /** What is wrong with these parameters whatever the host: one sentence each. Called only when none is missing. */
  readonly rules?: (params: Params<NoInfer<T>>, request: Request) => readonly string[];
  readonly actions: Actions<T>;
};

export const defineAgent = <const T extends ParamTable>(def: AgentDef<T>): AgentDef<T> => def;

/** Prose for one language: exactly one entry per declared parameter, no orphans. */
export type Prose<T extends ParamTable> = {
  readonly short: string;
  readonly long: string;
  readonly params: { readonly [K in keyof T]: { readonly short: string; readonly long: string } };
};
/** English keeps the short texts in the declaration, where a reader of the code needs them. */
export type EnglishProse<T extends ParamTable> = {
  readonly long: string;
  readonly params: { readonly [K in keyof T]: string };
};
