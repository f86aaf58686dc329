import { defineConfig } from 'vitest/config';

/** The agents bound their own waits; this only ends a test that hangs, on however slow a machine. */
const testTimeout = 300_000;

const project = (name: string, more: object = {}) => ({
  test: { name, include: [`test/${name}/**/*.test.ts`], testTimeout, hookTimeout: testTimeout, ...more },
});

/** Their figures are to be read, so they are measured while nothing else runs. */
const measuring = 'test/host/**/*scale.test.ts';

export default defineConfig({
  test: {
    projects: [
      project('unit'),
      project('contract', { globalSetup: 'test/contract/build.ts', maxWorkers: 2 }),
      // Builds every package and has lintian read them: a quarter of an hour.
      project('packages', { globalSetup: 'test/packages/build.ts' }),
      // Agents mostly wait, for the kernel or for a time to pass: more of them than there are processors.
      project('host', { exclude: [measuring], maxWorkers: 4, sequence: { groupOrder: 1 } }),
      project('host-scale', { include: [measuring], maxWorkers: 1, sequence: { groupOrder: 2 } }),
    ],
  },
});
