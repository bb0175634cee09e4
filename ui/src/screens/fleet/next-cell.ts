type Box = { readonly left: number; readonly top: number }

/** Which cell an arrow key leads to from cell `at`; up and down go to the nearest cell of the next line. */
export function nextCell(
  key: string,
  at: number,
  boxes: () => readonly Box[],
  length: number,
): number | undefined {
  if (at < 0) return undefined
  if (key === 'ArrowRight') return Math.min(at + 1, length - 1)
  if (key === 'ArrowLeft') return Math.max(at - 1, 0)
  if (key === 'Home') return 0
  if (key === 'End') return length - 1
  if (key !== 'ArrowDown' && key !== 'ArrowUp') return undefined

  const all = boxes()
  const { left, top } = all[at]!
  const down = key === 'ArrowDown'
  const beyond = all.map((box) => box.top).filter((y) => (down ? y > top + 1 : y < top - 1))
  if (beyond.length === 0) return at
  const line = down ? Math.min(...beyond) : Math.max(...beyond)
  let best = at
  let distance = Infinity
  all.forEach((box, i) => {
    const away = Math.abs(box.left - left)
    if (Math.abs(box.top - line) <= 1 && away < distance) {
      best = i
      distance = away
    }
  })
  return best
}
