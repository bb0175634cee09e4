import { fillIn } from './fill-in.ts'
import { settingsTemplate, type Target } from './target.ts'

/** What the scripts of a package are filled in with. */
export function scriptValues({ product }: Target): { readonly [name: string]: string } {
  const values = {
    NAME: product.name,
    USER: product.user,
    STATE: product.stateFolder,
    CONFIG: product.configFile,
    TEMPLATE: settingsTemplate(product),
    CONFIG_MODE: product.configMode.toString(8).padStart(4, '0'),
    UNIT: `${product.name}.service`,
  }
  const filled = (file: string): string => fillIn(`scripts/${file}`, values).trimEnd()
  return {
    ...{ ...values, MAKE_USER: filled('user.sh') },
    WELCOME: filled(`${product.name}.welcome.sh`),
  }
}
