// Builds agent/dist/harbinger-agent.js: one file for what a running agent needs, further ones for what it may never load.
import { readdirSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const at = (path) => fileURLToPath(new URL(path, import.meta.url))

// mqtt carries copies of node's own streams and timers for browsers; here node's own serve (2 MB of memory).
const builtIn = {
  'readable-stream': at('src/publish/bundled/readable-stream.cjs'),
  mqtt$: at('src/publish/bundled/mqtt.cjs'),
  'worker-timers': at('src/publish/bundled/worker-timers.cjs'),
  debug: at('src/publish/bundled/debug.cjs'),
}

rmSync(at('dist'), { recursive: true, force: true })
const bundle = await rolldown({
  input: { 'harbinger-agent': at('src/main.ts') },
  platform: 'node',
  resolve: { alias: builtIn },
})
await bundle.write({ dir: at('dist'), format: 'esm', minify: 'dce-only' })
await bundle.close()
console.log(`agent/dist: ${readdirSync(at('dist')).join(', ')}`)
