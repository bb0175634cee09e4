import { fileURLToPath } from 'node:url'
import type { MessagePort } from 'node:worker_threads'
import { openCalibration } from '@harbinger/shared/forecast/calibrate'
import type { WindowBatch } from '@harbinger/shared/window/window-batch'
import { readModelFolder } from '@harbinger/model-training/model/model-folder'
import {
  type OpenOn,
  openWatchedInference,
  type WatchedInference,
} from '@harbinger/model-training/onnx/watched-inference'
import { forecastRows, type Network, type Serving } from './forecast-rows.ts'
import { turns } from './turns.ts'
import { type Answer, type Look, packForecasts, type Question } from './worker-messages.ts'

/** The graphs this hub knows; a model made for others is refused. */
const graphs = fileURLToPath(
  new URL('../../graphs', import.meta.resolve('@harbinger/model-training/model/model-folder')),
)

/**
 * Answers the forecaster's questions: loads models, moves them between devices, and forecasts by the network and the
 * baselines. `open` opens the network on a device other than the processor.
 */
export function serveQuestions(port: MessagePort, { open }: { readonly open?: OpenOn } = {}): void {
  let serving: { readonly serving: Serving; readonly inference: WatchedInference } | undefined
  let problem = 'no model folder is set'

  // One question after the other: a model is not exchanged under a running forecast.
  const queue = turns(async (question: Question) => {
    if (question.kind === 'load') return port.postMessage(await load(question))
    if (question.kind === 'device') return port.postMessage(await use(question))
    const { lost, ...said } = await network(question.batch)
    const { forecasts, buffer } = packForecasts(forecastRows({ ...question, network: said }))
    const answered = { number: question.number, forecasts, ...(lost === undefined ? {} : { lost }) }
    port.postMessage(
      (question.kind === 'examine'
        ? { ...answered, look: lookOf(said) }
        : answered) satisfies Answer,
      [buffer],
    )
  })
  port.on('message', (question: Question) => queue.add(question, question.urgent))

  /** Takes a folder into service, on the processor, or says why not and keeps what serves. */
  async function load({
    number,
    folder,
    threads,
  }: Extract<Question, { kind: 'load' }>): Promise<Answer> {
    try {
      const checked = readModelFolder(folder, { graphs })
      if ('refused' in checked) throw new Error(checked.refused)
      const { manifest } = checked
      const inference = await openWatchedInference(folder, { threads, open })
      await serving?.inference.close()
      const calibrate = openCalibration(checked.calibration)
      serving = { serving: { id: manifest.id, serves: manifest.serves, calibrate }, inference }
      const { id, kind, trainedAt } = manifest
      return { number, loaded: { id, kind, trainedAt } }
    } catch (error) {
      const refused = error instanceof Error ? error.message : String(error)
      if (!serving) problem = refused
      return { number, refused }
    }
  }

  async function use({ number, device }: Extract<Question, { kind: 'device' }>): Promise<Answer> {
    if (!serving) return { number, refused: `no model is loaded: ${problem}` }
    try {
      await serving.inference.use(device)
      return { number, device }
    } catch (error) {
      return { number, refused: (error as Error).message }
    }
  }

  async function network(
    batch: WindowBatch,
  ): Promise<Network & Partial<Look> & { readonly lost?: string }> {
    if (!serving) return { problem: `no model is loaded: ${problem}` }
    try {
      return { serving: serving.serving, ...(await serving.inference.infer(batch)) }
    } catch (error) {
      return { problem: `the model failed: ${(error as Error).message}` }
    }
  }
}

/** What the network says of its own looking, row by row; undefined when it said nothing. */
function lookOf(said: Network & Partial<Look>): Look | undefined {
  const { selectionPast, selectionFuture, attention } = said
  return selectionPast && selectionFuture && attention
    ? { selectionPast, selectionFuture, attention }
    : undefined
}
