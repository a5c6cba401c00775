import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['packages/**/*.test.ts', 'scripts/**/*.test.ts', 'examples/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**', '**/.pack/**', '**/fixtures/**'],
    pool: 'forks',
    allowOnly: !process.env.CI,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
})
