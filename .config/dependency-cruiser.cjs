/** The arrows of docs/architecture.md, as rules. */
const stages = ['ingest', 'window', 'forecast', 'risk', 'alert', 'view', 'explain']

const lookAhead = stages.slice(0, -1).map((stage, i) => ({
  name: `${stage}-does-not-look-ahead`,
  severity: 'error',
  from: { path: `^hub/src/${stage}/` },
  to: { path: `^hub/src/(${stages.slice(i + 1).join('|')})/` },
}))

const door = (dependency, ...folders) => ({
  name: `${dependency}-has-one-door`,
  severity: 'error',
  from: { pathNot: [...folders.map((folder) => `^${folder}/`), '\\.test\\.ts$', '^tests/'] },
  to: { path: `(^|/)node_modules/${dependency}/` },
})

const forbid = (name, from, to) => ({ name, severity: 'error', from, to })
const code = { pathNot: ['\\.test\\.ts$', '^tests/'] }

module.exports = {
  forbidden: [
    forbid('every-import-resolves', {}, { couldNotResolve: true }),
    forbid('no-circles', {}, { circular: true }),
    forbid(
      'parts-meet-in-shared',
      { ...code, path: '^(agent|hub|ui)/' },
      { path: '^(agent|hub|ui)/', pathNot: '^$1/' },
    ),
    forbid(
      'training-knows-no-part',
      { ...code, path: '^model-training/' },
      { path: '^(agent|hub|ui)/' },
    ),
    forbid('only-the-hub-trains', { ...code, path: '^(agent|ui)/' }, { path: '^model-training/' }),
    forbid(
      'shared-leans-on-nothing',
      { ...code, path: '^shared/' },
      { pathNot: '^(shared/|(shared/)?node_modules/(typebox|@noble/hashes)/)' },
    ),
    forbid(
      'risk-does-no-io',
      { ...code, path: '^hub/src/risk/' },
      { pathNot: '^(hub/src/risk/|shared/src/)' },
    ),
    forbid(
      'the-simulator-does-no-io',
      { ...code, path: '^model-training/src/simulator/' },
      { pathNot: '^(model-training/src/simulator/|shared/src/)' },
    ),
    forbid(
      'only-hub-ts-wires',
      {
        ...code,
        path: '^hub/src/(ingest|window|forecast|risk|alert|view|explain|storage|people|identity|intervals)/',
      },
      { path: '^hub/src/(hub|main)\\.ts$' },
    ),
    forbid(
      'storage-knows-no-stage',
      { ...code, path: '^hub/src/storage/' },
      { path: '^hub/src/(ingest|window|alert|view|explain|intervals)/' },
    ),
    forbid(
      'people-know-no-stage',
      { ...code, path: '^hub/src/people/' },
      { path: '^hub/src/(ingest|window|forecast|risk|alert|view|explain)/' },
    ),
    forbid(
      'screens-do-not-meet',
      { path: '^ui/src/screens/([^/]+)/' },
      { path: '^ui/src/screens/', pathNot: '^ui/src/screens/$1/' },
    ),
    ...lookAhead,
    door('aedes', 'hub/src/ingest', 'hub/src/bench'),
    door('better-sqlite3', 'hub/src/storage'),
    door('fastify', 'hub/src/view'),
    door('openid-client', 'hub/src/people'),
    door('@peculiar/x509', 'hub/src/identity'),
    door('onnxruntime-node', 'model-training/src/onnx'),
    door('mqtt', 'agent/src/publish', 'hub/src/ingest', 'hub/src/commands', 'hub/src/bench'),
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'default'],
    },
  },
}
