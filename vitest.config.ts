import { configDefaults, defineConfig } from 'vitest/config'

/** Tests that take longer, because they start programs or compile. */
const slow = ['**/*.slow.test.ts', '**/*.e2e.test.ts']
const exclude = [...configDefaults.exclude, '**/.pack/**', '**/fixtures/**', '**/templates/**']

export default defineConfig({
  test: {
    pool: 'forks',
    allowOnly: !process.env.CI,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'fast',
          include: ['packages/**/*.test.ts', 'scripts/**/*.test.ts', 'examples/**/*.test.ts'],
          exclude: [...exclude, ...slow],
          testTimeout: 30_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'slow',
          include: slow,
          exclude,
          testTimeout: 120_000,
          // The first that needs a Linux host makes its image.
          hookTimeout: 300_000,
        },
      },
    ],
  },
})
