import stylistic from '@stylistic/eslint-plugin';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

export default defineConfig(
  { ignores: ['**/*.js', '**/*.d.ts', 'coverage/', 'cdk.out/', 'dist/'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { project: './tsconfig.dev.json' } },
    rules: {
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      // CDK's classes of static factories are the house style (`MtaStsPolicy.enforce()`).
      '@typescript-eslint/no-extraneous-class': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // `expect(fn)` and the AWS client mocks hand methods around without calling them.
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    extends: [stylistic.configs.customize({ indent: 2, quotes: 'single', semi: true, jsx: false, arrowParens: true, braceStyle: '1tbs' })],
    files: ['**/*.ts', '**/*.mjs'],
    rules: {
      '@stylistic/max-len': ['error', { code: 140, ignoreUrls: true, ignoreStrings: true, ignoreTemplateLiterals: true, ignoreRegExpLiterals: true }],
      '@stylistic/quotes': ['error', 'single', { avoidEscape: true }],
    },
  },
);
