import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

export default defineConfig(
  {
    ignores: ["dist/", "dist-gpu/", "dist.new-*/", "build/", "build-*/", "coverage/", "demo-output/", "node_modules/", "test/**/fixtures/"],
  },
  {
    files: ["src/**/*.ts", "test/**/*.ts", "bench/**/*.ts", "examples/**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { project: "./tsconfig.json", tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "inline-type-imports" }],
      "@typescript-eslint/no-import-type-side-effects": "error",
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_", caughtErrorsIgnorePattern: "^_" }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      // An aborted operation rejects with the signal's own reason, whatever that is.
      "@typescript-eslint/prefer-promise-reject-errors": ["error", { allowThrowingUnknown: true }],
      "@typescript-eslint/only-throw-error": ["error", { allowThrowingUnknown: true, allowRethrowing: true }],
      "@typescript-eslint/no-unnecessary-condition": ["error", { allowConstantLoopConditions: "only-allowed-literals" }],
      eqeqeq: ["error", "always", { null: "ignore" }],
      "no-console": "error",
      "no-restricted-syntax": [
        "error",
        { selector: "ExportDefaultDeclaration", message: "Export by name: one thing has one name everywhere." },
        {
          selector: "ImportDeclaration[source.value='zod'] > ImportSpecifier",
          message: "Import zod as a namespace: the bundle would hold all of it otherwise, and read it whenever a program starts.",
        },
      ],

      // Loops over typed arrays read indices that they have just bounded; a check of each would cost more than it tells.
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/non-nullable-type-assertion-style": "off",
      // tsconfig's noPropertyAccessFromIndexSignature asks for the brackets that this rule would remove.
      "@typescript-eslint/dot-notation": "off",
      // Classes with static factories only (AutoModel) are the API that users know from the Python package.
      "@typescript-eslint/no-extraneous-class": "off",
      // An async function without await still turns what it throws into a rejection, which interfaces here promise.
      "@typescript-eslint/require-await": "off",
      // `||` for "empty or missing" is meant; the rule cannot tell it from `??`.
      "@typescript-eslint/prefer-nullish-coalescing": ["error", { ignorePrimitives: true, ignoreConditionalTests: true }],
    },
  },
  { files: ["src/cli/**/*.ts", "bench/**/*.ts", "examples/**/*.ts", "test/**/run.ts"], rules: { "no-console": "off" } },
  {
    files: ["test/**/*.ts"],
    rules: {
      // What JSON.parse and deliberately wrong arguments give is checked by the assertions themselves.
      "@typescript-eslint/no-unsafe-assignment": "off",
      "@typescript-eslint/no-unsafe-member-access": "off",
      "@typescript-eslint/no-unsafe-argument": "off",
      "@typescript-eslint/unbound-method": "off",
    },
  },
  { files: ["vitest.config.ts"], extends: [tseslint.configs.base] },
  {
    files: ["scripts/**/*.mjs", "*.js", "*.cjs"],
    extends: [tseslint.configs.base],
    rules: { "no-undef": "off", "no-unused-vars": "error", eqeqeq: "error", "prefer-const": "error" },
  },
);
