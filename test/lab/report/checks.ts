import type { Timeline } from './timeline.ts';

export interface Check {
  scenario: string;
  name: string;
  passed: boolean;
  detail: string;
}

/** What was found out, one named check at a time; a check that fails does not end the run. */
export class Checks {
  readonly all: Check[] = [];
  #scenario = 'build';

  begin(scenario: string): void {
    this.#scenario = scenario;
  }

  add(name: string, passed: boolean, detail = ''): void {
    this.all.push({ scenario: this.#scenario, name, passed, detail });
  }

  get passed(): Check[] {
    return this.all.filter(({ passed }) => passed);
  }

  get failed(): Check[] {
    return this.all.filter(({ passed }) => !passed);
  }
}

/** What a scenario measured; seconds, and per protocol in the order of the protocols. */
export interface Figures {
  scenario: string;
  outcome: string;
  movedAfter?: number;
  stalls?: number[];
  /** Until another client's wish for a lock was answered. */
  lockStalls?: number[];
  errors?: number;
  acknowledged?: number;
  found?: number;
  lost?: number;
  timeline?: Timeline;
}
