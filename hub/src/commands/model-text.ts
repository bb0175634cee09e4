import type { ModelCard, Models, ModelSummary } from '@harbinger/shared/models-api'

const row = ({ id, state, refused, trainedAt, scores, isBase }: ModelSummary): string => {
  if (refused !== null) return `refused     ${refused}`
  const ratio = scores['wqlRatio']
  const score = ratio === undefined ? '' : `  ${ratio.toFixed(3)} × best baseline`
  return `${state.padEnd(11)} ${id}  ${trainedAt}${score}${isBase ? '  came with Harbinger' : ''}`
}

const conditionRows = (conditions: ModelCard['conditions']): string[] =>
  conditions.map(({ name, state, found }) => `  ${state.padEnd(8)} ${name}: ${found}`)

const decisionRows = (decisions: Models['decisions']): string[] =>
  decisions.map(
    ({ at, model, kind, by, reason }) => `  ${at}  ${model} ${kind} by ${by}: ${reason}`,
  )

/** What a terminal shows of all models. */
export function modelsText({ models, serving, challenger, decisions }: Models): string {
  const since = serving.since === null ? '' : ` since ${serving.since}`
  return [
    `${serving.id ?? 'no model'} serves${since}: ${serving.reason}`,
    ...(serving.problem === null ? [] : [`problem: ${serving.problem}`]),
    ...models.map(row),
    ...(challenger
      ? [`conditions for promoting ${challenger.id}:`, ...conditionRows(challenger.conditions)]
      : []),
    'decisions:',
    ...decisionRows(decisions.slice(0, 20)),
    '',
  ].join('\n')
}

/** What a terminal shows of one model. */
export function cardText(card: ModelCard): string {
  return [
    row(card),
    ...card.trainedOn.map(
      ({ name, servers, from, to, simulated }) =>
        `trained on ${name}${simulated ? ' (simulated)' : ''}: ${servers} servers, ${from} to ${to}`,
    ),
    `goes on from ${card.parent ?? 'nothing'}`,
    ...Object.entries(card.scores).map(([name, value]) => `${name} ${value}`),
    `serves ${card.serves.model} metrics, baselines ${card.serves.baseline}`,
    'conditions for promoting it:',
    ...conditionRows(card.conditions),
    'decisions:',
    ...decisionRows(card.decisions),
    '',
  ].join('\n')
}
