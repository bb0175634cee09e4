import { parentPort } from 'node:worker_threads'
import { packForecasts, type Question } from '../../hub/src/forecast/worker-messages.ts'

/** A forecast worker that loads anything, ends when it is asked about "crash", and is silent about "hang". */

parentPort!.on('message', (question: Question) => {
  const { number } = question
  if (question.kind === 'load') {
    const { folder } = question
    if (folder.includes('bad')) {
      return parentPort!.postMessage({ number, refused: `${folder}: hashes differ` })
    }
    const loaded = { id: folder, kind: 'tft', trainedAt: '2026-01-01T00:00:00.000Z' }
    return parentPort!.postMessage({ number, loaded })
  }
  if (question.kind === 'device') throw new Error('no device was asked for')
  const names = question.rows.map(({ server }) => server)
  if (names.includes('crash')) throw new Error('a bad instruction')
  if (names.includes('hang')) return
  const { forecasts, buffer } = packForecasts(
    names.map((server) => ({
      server,
      issuedAt: question.issuedAt,
      windowEnd: question.windowEnd,
      abstained: null,
      metrics: {
        mem_used_pct: {
          source: 'model:stub',
          sourceReason: 'it says so',
          quantiles: new Float32Array(32 * 7).fill(question.batch.past[10]!),
          peaks: new Float32Array(3 * 7).fill(2),
        },
      },
    })),
  )
  parentPort!.postMessage({ number, forecasts }, [buffer])
})
