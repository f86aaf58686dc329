import { defineConfig } from 'vitest/config';

const project = (name: string, more: object = {}) => ({
  test: { name, include: [`test/${name}/**/*.test.ts`], testTimeout: 60_000, ...more },
});

export default defineConfig({
  test: {
    projects: [
      project('unit', { testTimeout: 5_000 }),
      project('contract', { globalSetup: 'test/contract/build.ts' }),
      project('host'),
    ],
  },
});
