import svelte from 'eslint-plugin-svelte'
import tseslint from 'typescript-eslint'

export default tseslint.config(
  {
    ignores: [
      '**/dist/',
      '**/node_modules/',
      '.harbinger/',
      'artefacts/',
      '.venv/',
      'model-training/graphs/',
    ],
  },
  ...tseslint.configs.recommended,
  ...svelte.configs['flat/recommended'],
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: tseslint.parser } },
  },
  {
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      // Our maps are replaced as a whole ($state.raw); none is mutated where the screen looks.
      'svelte/prefer-svelte-reactivity': 'off',
      // Indices that were just computed are known to be in range; `!` says so where the compiler cannot see it.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_' },
      ],
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportAllDeclaration', message: 'No barrels: import from the file itself.' },
        { selector: 'ExportDefaultDeclaration', message: 'Named exports only.' },
      ],
    },
  },
  {
    files: ['{shared,agent,hub,model-training}/src/**/*.ts'],
    ignores: [
      '**/*.test.ts',
      '**/main.ts',
      'hub/src/training/training-process.ts',
      '**/config.ts',
      '**/bench/**',
      '**/bench.ts',
      '**/*-worker.ts',
    ],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Settings come from config.ts.' },
        { object: 'process', property: 'exit', message: 'Only main.ts ends the process.' },
        { object: 'Date', property: 'now', message: 'The clock is handed down from main.ts.' },
      ],
    },
  },
  { files: ['**/*.cjs'], rules: { '@typescript-eslint/no-require-imports': 'off' } },
  {
    files: ['**/*.config.{js,ts}', 'ui/vite.config.ts'],
    rules: { 'no-restricted-syntax': 'off' },
  },
)
