/** An SVG path through points, from step 0 to `end` and from the lowest to the highest value, with a little room. */
export function curvePath(
  points: readonly (readonly [step: number, value: number])[],
  { width, height, end }: { readonly width: number; readonly height: number; readonly end: number },
): string {
  if (points.length === 0 || end <= 0) return ''
  const values = points.map(([, value]) => value)
  const low = Math.min(...values)
  const span = Math.max(...values) - low || 1
  const room = 0.08 * height
  const at = ([step, value]: readonly [number, number]): string => {
    const y = height - room - ((value - low) / span) * (height - 2 * room)
    return `${((step / end) * width).toFixed(1)} ${y.toFixed(1)}`
  }
  // A single point is a dot's width of line.
  const [only] = points
  if (points.length === 1) return `M${at(only!)}h3`
  return `M${points.map(at).join('L')}`
}
