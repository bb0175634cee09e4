/** What npm wrote down of one package. */
export type LockEntry = {
  readonly version?: string
  readonly integrity?: string
  readonly license?: string
  readonly link?: boolean
  readonly resolved?: string
  readonly os?: string | readonly string[]
  readonly cpu?: string | readonly string[]
  readonly dependencies?: { readonly [name: string]: string }
  readonly optionalDependencies?: { readonly [name: string]: string }
  readonly peerDependencies?: { readonly [name: string]: string }
}

export type Lock = { readonly packages: { readonly [path: string]: LockEntry } }

/**
 * Paths of the packages that a workspace needs to run, as package-lock.json knows them, in order of the alphabet; other
 * workspaces it leans on by their folder ("shared"). Development's own and mere types are not among them.
 */
export function carriedPackages(lock: Lock, workspace: string): string[] {
  const found = new Set<string>()
  const visit = (path: string): void => {
    const entry = lock.packages[path]
    if (!entry) throw new Error(`package-lock.json knows no ${path}: run npm install`)
    const optional = { ...entry.optionalDependencies, ...entry.peerDependencies }
    for (const name of Object.keys({ ...entry.dependencies, ...optional })) {
      if (name.startsWith('@types/')) continue
      const place = resolve(lock, path, name)
      if (place === undefined) {
        if (name in optional) continue
        throw new Error(`package-lock.json has no ${name}, which ${path} needs: run npm install`)
      }
      const target = lock.packages[place]
      const real = target?.link ? target.resolved! : place
      if (found.has(real)) continue
      found.add(real)
      visit(real)
    }
  }
  visit(workspace)
  return [...found].sort()
}

/** As Node does: the nearest node_modules going up. */
function resolve({ packages }: Lock, from: string, name: string): string | undefined {
  let folder = from
  for (;;) {
    const place = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`
    if (packages[place]) return place
    if (folder === '') return undefined
    const above = folder.lastIndexOf('/node_modules/')
    if (above !== -1) folder = folder.slice(0, above)
    else if (folder.startsWith('node_modules/')) folder = ''
    else folder = folder.includes('/') ? folder.slice(0, folder.lastIndexOf('/')) : ''
  }
}
