import { parentPort } from 'node:worker_threads'
import { serveQuestions } from './serve-questions.ts'

/** The thread that runs the network and the baselines, so that the hub's own loop never waits for them. */

if (!parentPort) throw new Error('onnx-worker.ts runs as a worker thread of the forecaster only')
serveQuestions(parentPort)
