import { openForecaster } from '../../hub/src/forecast/forecaster.ts'

/** Opens the shipped model as the hub does, in the worker of a forecaster, and closes it again. */
const log = { info() {}, warn: console.error, error: console.error }
const forecaster = await openForecaster({ modelFolder: 'model-training/base-model', log })
if (!forecaster.status().model) throw new Error(forecaster.status().problem!)
await forecaster.close()
