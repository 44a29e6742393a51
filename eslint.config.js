import js from "@eslint/js";
import globals from "globals";

export default [
  { ignores: ["**/*", "!**/", "!eslint.config.js", "!web/components/**/*.js", "!tests/javascript/**/*.js"] },
  js.configs.recommended,
  {
    languageOptions: { globals: globals.node },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      eqeqeq: "error",
      "no-console": ["error", { allow: ["warn", "error"] }],
      "no-implicit-coercion": "error",
      "no-shadow": "error",
      "no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      "no-var": "error",
      "object-shorthand": "error",
      "prefer-const": "error",
      "prefer-template": "error",
    },
  },
  { files: ["web/components/**"], languageOptions: { globals: globals.browser } },
  { files: ["web/components/stub.js"], languageOptions: { globals: { MODULES: "readonly" } } },
];
