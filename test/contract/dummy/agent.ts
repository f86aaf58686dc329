import { Failure } from '../../../lib/contract/outcome.ts';
import { paramTable } from '../../../lib/contract/params.ts';
import type { Host } from '../../../lib/host/host.ts';
import { defineAgent, type EnglishProse, type Prose } from '../../../lib/ocf/agent.ts';
import { traceParams } from '../../../lib/ocf/trace.ts';

const params = paramTable({
  state: { type: 'string', required: true, uniqueGroup: 'state', short: 'File that exists while it runs' },
  mischief: {
    type: 'select',
    options: [
      'none',
      'throw',
      'throw-nothing',
      'throw-later',
      'throw-odd',
      'reject',
      'reject-odd',
      'never',
      'hang',
      'touch-and-hang',
      'stubborn',
      'daemon',
      'flood',
      'again',
      'shell',
      'poke',
    ],
    default: 'none',
    short: 'What goes wrong in start and monitor',
  },
  count: { type: 'integer', default: 1, min: 1, max: 9, short: 'A number' },
  eager: { type: 'boolean', default: false, reloadable: true, short: 'A yes or a no' },
  ...traceParams,
});

async function misbehave(
  mischief: string,
  state: string,
  { run, sys: { launch, self, poke } }: Host,
): Promise<void> {
  switch (mischief) {
    case 'throw':
      throw new TypeError('thrown on purpose & with\nodd characters');
    case 'throw-later':
      setTimeout(() => {
        throw new Error('thrown from a timer');
      }, 5);
      return new Promise(() => {});
    case 'throw-nothing':
      throw undefined;
    case 'throw-odd':
      setTimeout(() => {
        throw Object.create(null); // has no toString: formatting it throws again
      }, 5);
      return new Promise(() => {});
    case 'reject-odd':
      void Promise.reject(Object.assign(new Error(), { message: Symbol('no text') }));
      return new Promise((resolve) => setTimeout(resolve, 50));
    case 'reject':
      void Promise.reject(new Error('rejected on purpose'));
      return new Promise((resolve) => setTimeout(resolve, 50));
    case 'never':
      return new Promise(() => {});
    case 'poke':
      return poke('/dev/null', 'x');
    case 'hang':
      await run(['sleep', '3600']);
      return;
    case 'touch-and-hang':
      await run(['touch', state]);
      await run(['sleep', '3600']);
      return;
    case 'stubborn':
      await run(['sh', '-c', 'trap "" TERM; sleep 3600 & wait; sleep 3600']);
      return;
    case 'daemon':
      await launch(['sleep', '300']);
      return;
    case 'flood':
      throw new Failure('failed', 'ü'.repeat(400));
    case 'shell':
      await run(['bash', '-c', ':']);
      return;
    case 'again': // as nfsnotify leaves itself behind for clients that do not answer
      await run(['env', 'OCF_RESKEY_mischief=none', ...self, 'start']);
      return;
  }
}

/** A resource that is a file: carries the contract tests' mischief, so that no shipped agent needs a hook for it. */
export const dummy = defineAgent({
  name: 'Dummy',
  short: 'Exists while a file exists',
  params,
  needs: ['touch'],
  rules: ({ count }) => (count === 7 ? ['count=7 brings bad luck'] : []),
  actions: {
    start: {
      timeout: '20s',
      async run({ params: { state, mischief }, host }) {
        await misbehave(mischief, state, host);
        await host.run(['touch', state]);
      },
    },
    stop: {
      timeout: '20s',
      run: ({ params: { state }, host }) => host.sys.remove(state),
    },
    monitor: {
      timeout: '20s',
      interval: '10s',
      depths: [10],
      async run({ params: { state, mischief }, host }) {
        await misbehave(mischief, state, host);
        const there = await host.sys.facts(state).then(
          () => true,
          () => false,
        );
        return there ? 'ok' : 'notRunning';
      },
    },
    'validate-all': { timeout: '20s' },
    'reload-agent': { timeout: '20s', run: async () => {} },
  },
});

export const en: EnglishProse<typeof params> = {
  long: 'For the contract tests.',
  params: {
    state: 'A path.',
    mischief: 'What goes wrong.',
    count: 'From 1 to 9.',
    eager: 'Whether.',
    trace_ra: 'x',
    trace_file: 'x',
    trace_dir: 'x',
  },
};

export const zh: Prose<typeof params> = {
  short: '文件存在即运行',
  long: '用于契约测试。',
  params: {
    state: { short: '状态文件', long: '路径。' },
    mischief: { short: '故障', long: '出什么错。' },
    count: { short: '数字', long: '1 到 9。' },
    eager: { short: '是否', long: '是或否。' },
    trace_ra: { short: '跟踪', long: '跟踪。' },
    trace_file: { short: '跟踪', long: '跟踪。' },
    trace_dir: { short: '跟踪', long: '跟踪。' },
  },
};
