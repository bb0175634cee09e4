import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')

/** The network's two graphs, as committed. */
export const graphsFolder = join(root, 'graphs')
/** The model a new hub starts with. */
export const baseModelFolder = join(root, 'base-model')
