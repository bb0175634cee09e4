import { expect, test } from 'vitest'
import { decideProfile, isProfile, profileId, profiles } from './profiles.ts'

test.each([
  ['ml_compute', ['ppml1', 'ppgpu02', 'cptrain3', 'ml-node-4', 'PPML0001', 'x-ppml7.example']],
  ['database', ['ppdb001', 'psdb2', 'oracle1', 'mongo9', 'postgres12', 'mysql3']],
  ['web_api', ['ppweb001', 'ppapi2', 'nginx1', 'tomcat8', 'api-server-3']],
  ['conductor_mgmt', ['ppcon01', 'conductor1', 'egomgmt2', 'maestro3']],
  ['data_ingest', ['ppetl001', 'ppkafka2', 'stream3', 'spark4', 'flink5']],
  ['risk_analytics', ['pprisk001', 'varrisk2', 'credit3', 'quant4']],
] as const)('names of %s servers are known: %j', (profile, names) => {
  for (const name of names) expect(decideProfile(name)).toEqual({ profile, source: 'rule' })
})

test.each(['ppml', 'database', 'web', 'laptop-3', 'ppdb-x1'])(
  '%s is generic by default',
  (name) => {
    expect(decideProfile(name)).toEqual({ profile: 'generic', source: 'default' })
  },
)

test('the operator decides before the agent, the agent before names, own rules before built-in ones', () => {
  const operatorRules = [{ pattern: '^ppdb', profile: 'generic' as const }]
  expect(
    decideProfile('ppdb1', { setByOperator: 'web_api', setByAgent: 'database', operatorRules }),
  ).toEqual({ profile: 'web_api', source: 'operator' })
  expect(decideProfile('ppdb1', { setByAgent: 'ml_compute', operatorRules })).toEqual({
    profile: 'ml_compute',
    source: 'agent',
  })
  expect(decideProfile('PPDB1', { operatorRules })).toEqual({ profile: 'generic', source: 'rule' })
})

test('the model knows profiles by place, and unknown as 0', () => {
  expect(profiles).toHaveLength(7)
  expect(profiles.map(profileId)).toEqual([1, 2, 3, 4, 5, 6, 7])
  expect([profileId(null), profileId(undefined)]).toEqual([0, 0])
  expect([isProfile('generic'), isProfile('unknown')]).toEqual([true, false])
})
