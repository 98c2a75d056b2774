import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Type tests (*.test-d.ts) are checked by "npm run typecheck", which reads test/ too.
    globalSetup: ["test/setup/build-addon.ts"],
    // Processes: a crash of the addon ends one file's process and not the whole run, and each starts with a fresh copy of it.
    pool: "forks",
    testTimeout: 30_000,
    hookTimeout: 60_000,
    coverage: { provider: "v8", include: ["src/**/*.ts"], exclude: ["src/**/types.ts"] },
  },
});
