/** The hub answers messages and browsers between slices: none may hold the event loop longer than this. */
export const sliceMs = 8

/** Does `work` for each item, giving the event loop its turn every few milliseconds. */
export async function inSlices<Item>(
  items: Iterable<Item>,
  work: (item: Item) => void,
): Promise<void> {
  let until = performance.now() + sliceMs
  for (const item of items) {
    work(item)
    if (performance.now() < until) continue
    await nextTurn()
    until = performance.now() + sliceMs
  }
}

const waiting: (() => void)[] = []

/** Settles when the event loop has had its turn. Of all who work in slices, one goes on per turn. */
export const nextTurn = (): Promise<void> =>
  new Promise((resolve) => {
    // Immediates that wait together run together, with nothing in between: two slices would be one long one.
    if (waiting.push(resolve) === 1) setImmediate(goOn)
  })

function goOn(): void {
  waiting.shift()!()
  if (waiting.length > 0) setImmediate(goOn)
}

/** The same items, each being made while the one before it is used. */
export async function* ahead<Item>(source: AsyncGenerator<Item>): AsyncGenerator<Item> {
  let next = source.next()
  try {
    for (let item = await next; !item.done; item = await next) {
      next = source.next()
      // Whoever stops early leaves nobody to hear of its failure.
      next.catch(() => {})
      yield item.value
    }
  } finally {
    await source.return(undefined)
  }
}
