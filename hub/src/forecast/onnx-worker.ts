import { fileURLToPath } from 'node:url'
import { parentPort } from 'node:worker_threads'
import { readModelFolder } from '@harbinger/model-training/model/model-folder'
import { type Inference, openInference } from '@harbinger/model-training/onnx/inference'
import { forecastRows, type Network, type Serving } from './forecast-rows.ts'
import { type Answer, type Look, packForecasts, type Question } from './worker-messages.ts'

/** The thread that runs the network and the baselines, so that the hub's own loop never waits for them. */

const port = parentPort
if (!port) throw new Error('onnx-worker.ts runs as a worker thread of the forecaster only')

/** The graphs this hub knows; a model made for others is refused. */
const graphs = fileURLToPath(
  new URL('../../graphs', import.meta.resolve('@harbinger/model-training/model/model-folder')),
)

let serving: { readonly serving: Serving; readonly inference: Inference } | undefined
let problem = 'no model folder is set'

// One question after the other: a model is not exchanged under a running forecast.
let queue = Promise.resolve()
port.on('message', (question: Question) => {
  queue = queue.then(() => answer(question))
})

async function answer(question: Question): Promise<void> {
  if (question.kind === 'load') return port!.postMessage(await load(question))
  const said = await network(question.batch)
  const { forecasts, buffer } = packForecasts(forecastRows({ ...question, network: said }))
  const answered = { number: question.number, forecasts }
  port!.postMessage(
    (question.kind === 'examine' ? { ...answered, look: lookOf(said) } : answered) satisfies Answer,
    [buffer],
  )
}

/** What the network says of its own looking, row by row; undefined when it said nothing. */
function lookOf(said: Network & Partial<Look>): Look | undefined {
  const { selectionPast, selectionFuture, attention } = said
  return selectionPast && selectionFuture && attention
    ? { selectionPast, selectionFuture, attention }
    : undefined
}

/** Takes a folder into service, or says why not and keeps what serves. */
async function load({
  number,
  folder,
  threads,
  device,
}: Extract<Question, { kind: 'load' }>): Promise<Answer> {
  try {
    const checked = readModelFolder(folder, { graphs })
    if ('refused' in checked) throw new Error(checked.refused)
    const { manifest } = checked
    let note: string | undefined
    let runsOn = device
    const inference = await openInference(folder, { threads, device }).catch((error: Error) => {
      if (device === 'cpu') throw error
      note = `${device} cannot be used (${error.message}), the model runs on the processor`
      runsOn = 'cpu'
      return openInference(folder, { threads })
    })
    await serving?.inference.close()
    serving = { serving: { id: manifest.id, serves: manifest.serves }, inference }
    const { id, kind, trainedAt } = manifest
    return {
      number,
      loaded: { id, kind, trainedAt },
      device: runsOn,
      ...(note === undefined ? {} : { note }),
    }
  } catch (error) {
    const refused = error instanceof Error ? error.message : String(error)
    if (!serving) problem = refused
    return { number, refused }
  }
}

async function network(batch: Parameters<Inference['infer']>[0]): Promise<Network & Partial<Look>> {
  if (!serving) return { problem: `no model is loaded: ${problem}` }
  try {
    return { serving: serving.serving, ...(await serving.inference.infer(batch)) }
  } catch (error) {
    return { problem: `the model failed: ${(error as Error).message}` }
  }
}
