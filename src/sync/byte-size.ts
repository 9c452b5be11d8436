/**
 * Bytes for people, as docker has them: decimal, three digits, `61.2 MB`. What would be rounded up to 1000 is one of the
 * next unit.
 */
export function formatBytes(bytes: number): string {
  let [amount, unit] = [bytes, 0]
  while (rounded(amount) >= 1000 && unit < units.length - 1) {
    amount /= 1000
    unit += 1
  }
  return `${rounded(amount)} ${units[unit]}`
}

const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']

function rounded(amount: number): number {
  return Number(amount.toPrecision(3))
}

/** A limit as a flag has it, exact: `500MB`, `1500kB`. */
export function formatLimit(bytes: number): string {
  let [amount, unit] = [bytes, 0]
  while (amount >= 1000 && amount % 1000 === 0 && unit < units.length - 1) {
    amount /= 1000
    unit += 1
  }
  return `${amount}${units[unit]}`
}

/** `1,234`. */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US')
}
