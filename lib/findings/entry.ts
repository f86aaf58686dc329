/** How bad it is: data at risk or nobody served; worth a look today; good to know; nobody could tell. */
export type Severity = 'danger' | 'warning' | 'hint' | 'unknown';

/** One row of the catalogue: what is true of every finding of this code. */
export type Entry = {
  readonly severity: Severity;
  /** The group that `tsha check` lists it in. */
  readonly about: 'cluster' | 'fencing' | 'drbd' | 'nfs' | 'boot' | 'command';
  /** One sentence, with the facts of the case between braces. */
  readonly what: string;
  /** What it means, and what happens when nothing is done. Without facts: the manual prints it. */
  readonly why: string;
  /** Commands that mend it, or lead on, with facts between braces. The first is the one to show. */
  readonly fix: readonly string[];
  /** The chapter of docs/operating.md. */
  readonly see: string;
};
