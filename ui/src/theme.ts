/** What the product is called on the screen. Colours are in theme.css, the icon in public/favicon.svg. */
export const theme = {
  name: 'Harbinger',
  /** The line of the logo, in a 32 × 32 box. */
  logoPath: 'M3 21h7l3-9 4 13 4-17 3 13h5',
} as const
