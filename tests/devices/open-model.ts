import { openForecaster } from '../../hub/src/forecast/forecaster.ts'

/** Opens a model folder as the hub does, in the worker of a forecaster, and closes it again. */
const log = { info() {}, warn: console.error, error: console.error }
const forecaster = await openForecaster({ modelFolder: process.argv[2], log })
if (!forecaster.status().model) throw new Error(forecaster.status().problem!)
await forecaster.close()
