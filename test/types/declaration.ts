// Checked by `tsc` alone: every line marked below must not compile.

import { type Params, paramTable } from '../../lib/contract/params.ts';
import { defineAgent, type EnglishProse } from '../../lib/ocf/agent.ts';

const params = paramTable({
  device: { type: 'string', required: true, short: '' },
  fstype: { type: 'string', short: '' },
  term_delay: { type: 'integer', default: 5, short: '' },
  fast: { type: 'boolean', default: false, short: '' },
  mode: { type: 'select', options: ['auto', 'force'], default: 'auto', short: '' },
});
declare const p: Params<typeof params>;

export const device: string = p.device;
export const fstype: string | undefined = p.fstype;
export const delay: number = p.term_delay;
export const fast: boolean = p.fast;
export const mode: 'auto' | 'force' = p.mode;

// @ts-expect-error optional without a default may be undefined
export const surelyThere: string = p.fstype;
// @ts-expect-error no such parameter
export const typo = p.devcie;
// @ts-expect-error parameters are read-only
p.device = 'x';

export const enough: EnglishProse<typeof params> = {
  long: '',
  params: { device: '', fstype: '', term_delay: '', fast: '', mode: '' },
};
// @ts-expect-error a parameter without prose
export const tooLittle: EnglishProse<typeof params>['params'] = {
  device: '',
  fstype: '',
  term_delay: '',
  fast: '',
};
// @ts-expect-error prose without a parameter
export const tooMuch: EnglishProse<typeof params>['params'] = { ...enough.params, extra: '' };

// @ts-expect-error a default must be of the parameter's type
paramTable({ n: { type: 'integer', default: 'five', short: '' } });
// @ts-expect-error a select's default must be one of its options
paramTable({ n: { type: 'select', options: ['a', 'b'], default: 'c', short: '' } });
// @ts-expect-error every parameter has a short description
paramTable({ n: { type: 'string' } });

const nothing = async () => {};
const ok = async () => 'ok' as const;
const rest = { name: 'x', short: '', params, needs: [] };
const stop = { timeout: '1s', run: nothing } as const;
const monitor = { timeout: '1s', run: ok } as const;

export const complete = defineAgent({
  ...rest,
  actions: { start: stop, stop, monitor, 'validate-all': { timeout: '1s' } },
});
export const noStop = defineAgent({
  ...rest,
  // @ts-expect-error stop is mandatory
  actions: { start: stop, monitor, 'validate-all': { timeout: '1s' } },
});
export const bareSeconds = defineAgent({
  ...rest,
  // @ts-expect-error a timeout has its unit
  actions: { start: { timeout: 20, run: nothing }, stop, monitor, 'validate-all': { timeout: '1s' } },
});
export const wrongHealth = defineAgent({
  ...rest,
  actions: {
    start: stop,
    stop,
    // @ts-expect-error a monitor cannot answer "misconfigured": it throws
    monitor: { timeout: '1s', run: async () => 'misconfigured' as const },
    'validate-all': { timeout: '1s' },
  },
});
