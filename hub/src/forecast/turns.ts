import { nextTurn } from '../window/slices.ts'

/** So many urgent ones in a row, then one that waits patiently has its turn: nobody waits for ever. */
const urgentInARow = 8

/**
 * Does one thing after the other, urgent ones first. Between two the event loop has its turn, so that what became
 * urgent meanwhile is known. `work` must not reject.
 */
export function turns<Item>(work: (item: Item) => Promise<void>) {
  const urgent: Item[] = []
  const patient: Item[] = []
  let isRunning = false

  async function run(): Promise<void> {
    isRunning = true
    let inARow = 0
    while (urgent.length + patient.length > 0) {
      const isUrgentsTurn = urgent.length > 0 && (patient.length === 0 || inARow < urgentInARow)
      inARow = isUrgentsTurn ? inARow + 1 : 0
      await work((isUrgentsTurn ? urgent : patient).shift()!)
      await nextTurn()
    }
    isRunning = false
  }

  return {
    add(item: Item, isUrgent = false): void {
      ;(isUrgent ? urgent : patient).push(item)
      if (!isRunning) void run()
    },
  }
}
