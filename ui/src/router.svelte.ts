/** Where a link that came from elsewhere may lead: to a page of ours, never to another site. */
export function ownPath(next: string | null): string {
  if (next === null || !/^\/(?![/\\])/.test(next)) return '/'
  const { origin, pathname, search } = new URL(next, location.origin)
  return origin === location.origin && pathname !== '/login' ? pathname + search : '/'
}

/** The address of the screen: a path and filters that can be sent to a colleague. */
export class Router {
  path = $state(location.pathname)
  query = $state.raw(new URLSearchParams(location.search))

  start(): () => void {
    const read = () => {
      this.path = location.pathname
      this.query = new URLSearchParams(location.search)
    }
    const follow = (event: MouseEvent) => {
      const link = (event.target as Element).closest?.('a')
      if (!link || event.defaultPrevented || event.button !== 0) return
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
      if (link.origin !== location.origin || link.target || link.hasAttribute('download')) return
      if (link.pathname.startsWith('/api/') || link.getAttribute('href')?.startsWith('#')) return
      event.preventDefault()
      this.go(link.pathname + link.search)
    }
    addEventListener('popstate', read)
    document.addEventListener('click', follow)
    return () => {
      removeEventListener('popstate', read)
      document.removeEventListener('click', follow)
    }
  }

  go(to: string): void {
    // The description of the API is the hub's own page.
    if (to.startsWith('/api/')) return location.assign(to)
    history.pushState(null, '', to)
    this.path = location.pathname
    this.query = new URLSearchParams(location.search)
    scrollTo(0, 0)
  }

  /** Filters replace the entry: Back leaves the screen instead of undoing one letter of a search. */
  setQuery(change: Readonly<Record<string, string | null>>): void {
    const next = new URLSearchParams(this.query)
    for (const [key, value] of Object.entries(change)) {
      if (value) next.set(key, value)
      else next.delete(key)
    }
    const text = next.toString().replaceAll('%2C', ',')
    history.replaceState(null, '', text ? `${this.path}?${text}` : this.path)
    this.query = next
  }
}
