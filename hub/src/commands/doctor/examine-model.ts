import { join, resolve } from 'node:path'
import { readModelFolder } from '@harbinger/model-training/model/model-folder'
import { baseModelFolder, graphsFolder } from '@harbinger/model-training/model/shipped'
import { probeWindows } from '@harbinger/model-training/onnx/agreement'
import { probeDevice } from '@harbinger/model-training/onnx/device-probe'
import { openInference } from '@harbinger/model-training/onnx/inference'
import { failed, type Finding, fine, notChecked, warning } from '@harbinger/shared/findings'
import { chooseDevice } from '../../forecast/choose-device.ts'
import type { Asked } from './asked.ts'

/** A driver that hangs is not waited for any longer. */
const deviceMs = 5_000

/** The model that forecasts, and where it runs: as the hub that runs says, else by trying. */
export async function examineModel(asked: Asked): Promise<Finding[]> {
  const { hub, config } = asked
  if (hub.state === 'answers') {
    const { model, modelProblem, device, deviceReason } = hub.health
    return [
      model && modelProblem === null
        ? fine('model', `${model.id} forecasts`)
        : failed(
            'model',
            `baselines forecast alone: ${modelProblem ?? 'there is no model'}`,
            'harbinger model list shows which there are, harbinger model rollback takes the one before, harbinger train makes one',
          ),
      ...(await filesFinding(asked)),
      config.device === 'auto' || config.device === device || device === 'none'
        ? fine('device', `the network runs on ${device}: ${deviceReason ?? 'no model runs'}`)
        : warning(
            'device',
            `forecast.device is ${config.device}, the network runs on ${device}: ${deviceReason}`,
            'install what is missing (docs/devices.md), or set forecast.device to auto or cpu',
          ),
    ]
  }
  const served = servedFolder(asked)
  const files = readModelFolder(served, { graphs: graphsFolder })
  if ('refused' in files) {
    return [
      failed('model', files.refused, modelAdvice(served)),
      notChecked('device', 'there is no model to try it with'),
    ]
  }
  return [await predicts(served, files.manifest.id), await deviceFinding(asked, served)]
}

function servedFolder({ config, database }: Asked): string {
  if (config.modelFolder !== baseModelFolder) return resolve(config.modelFolder)
  const id = database?.facts?.serving
  const base = readModelFolder(baseModelFolder, { graphs: graphsFolder })
  const isBase = id == null || ('manifest' in base && base.manifest.id === id)
  return isBase || !/^[A-Za-z0-9._-]+$/.test(id)
    ? baseModelFolder
    : join(resolve(config.dataFolder), 'models', id)
}

const modelAdvice = (folder: string): string =>
  folder === baseModelFolder
    ? 'it came with Harbinger and is damaged: install the package again (apt-get install --reinstall harbinger-hub, or npm ci in the repository)'
    : 'the hub takes the newest model that is whole; harbinger model list shows them, harbinger train makes a new one'

/** The files on the disk, which the hub reads again at its next start. */
async function filesFinding(asked: Asked): Promise<Finding[]> {
  const folder = servedFolder(asked)
  const files = readModelFolder(folder, { graphs: graphsFolder })
  return 'refused' in files ? [failed('model files', files.refused, modelAdvice(folder))] : []
}

/** Opened and asked for two forecasts. */
async function predicts(folder: string, id: string): Promise<Finding> {
  try {
    const network = await openInference(folder, { threads: 1 })
    const answer = await network.infer(probeWindows(2))
    // A metric that is not known stays none; all of them is a network that does not work.
    const isFinite = Object.values(answer).every((values) => values.some(Number.isFinite))
    return isFinite
      ? fine('model', `${id} in ${folder} is whole, and forecasts`)
      : failed('model', `${id} in ${folder} forecasts what is no number`, modelAdvice(folder))
  } catch (error) {
    return failed(
      'model',
      `${id} in ${folder} cannot be used: ${(error as Error).message}`,
      modelAdvice(folder),
    )
  }
}

/** Tried as the hub tries it: the network runs there, and its numbers are held against the processor's. */
async function deviceFinding({ config, isFull }: Asked, folder: string): Promise<Finding> {
  const check = 'device'
  const { device, reason, ok } = await chooseDevice(config.device, {
    folder,
    probe: (at, wanted, options) =>
      probeDevice(at, wanted, { ...options, ...(!isFull && { timeoutMs: deviceMs }) }),
  })
  const found = `the network runs on ${device}: ${reason}`
  if (/gave no answer for/.test(reason))
    return notChecked(
      check,
      `a device took longer than ${deviceMs / 1000} s (${reason})`,
      'harbinger doctor --full waits for it',
    )
  return ok
    ? fine(check, found)
    : failed(
        check,
        found,
        'set forecast.device to auto or cpu, or install what is missing: docs/devices.md',
      )
}
