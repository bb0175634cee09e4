export type Theme = 'system' | 'light' | 'dark'

const key = 'harbinger.theme'

/** Dark or light: the system decides until the viewer does, and the viewer's choice is remembered. */
export class Appearance {
  #systemDark = $state(false)
  theme = $state<Theme>('system')
  readonly dark = $derived(this.theme === 'system' ? this.#systemDark : this.theme === 'dark')

  start(): () => void {
    const chosen = document.documentElement.dataset['theme']
    this.theme = chosen === 'dark' || chosen === 'light' ? chosen : 'system'
    const system = matchMedia('(prefers-color-scheme: dark)')
    const read = () => void (this.#systemDark = system.matches)
    read()
    system.addEventListener('change', read)
    return () => system.removeEventListener('change', read)
  }

  toggle(): void {
    this.theme = this.dark ? 'light' : 'dark'
    document.documentElement.dataset['theme'] = this.theme
    try {
      localStorage.setItem(key, this.theme)
    } catch {
      // Storage may be forbidden; then the choice lasts as long as the page.
    }
  }
}
