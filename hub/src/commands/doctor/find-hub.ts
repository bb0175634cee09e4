import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Health } from '@harbinger/shared/api'
import { askHub, type RunningHub } from '../../models/running-hub.ts'
import { type HubProcess, stepMs } from './asked.ts'

/** The hub that runs on a data folder, and how it says it is. */
export async function findHub(dataFolder: string): Promise<HubProcess> {
  const file = join(dataFolder, 'hub.json')
  let note: RunningHub & { readonly pid: number }
  try {
    note = JSON.parse(readFileSync(file, 'utf8')) as typeof note
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'EACCES' ? { state: 'hidden', file } : { state: 'none' }
  }
  const { pid, address } = note
  if (!isAlive(pid)) return { state: 'none' }
  try {
    return { state: 'answers', pid, address, health: await within(askHub<Health>(note, '/health')) }
  } catch {
    return { state: 'silent', pid, address }
  }
}

/** Signal 0 only asks; a process of another user says so by refusing. */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

async function within<Value>(work: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('no answer')), stepMs)
  })
  work.catch(() => {})
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}
