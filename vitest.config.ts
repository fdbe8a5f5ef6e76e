import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/built.ts'],
    pool: 'forks',
    // Most of a test's time is waiting for a host: three at once on two cores take little from each other.
    maxWorkers: 3,
    // A real sshd on a shared machine is late now and then; a person at the keyboard sees it at once, a build asks once more.
    retry: process.env.CI === undefined ? 0 : 1,
    testTimeout: 20_000,
    hookTimeout: 30_000,
  },
});
