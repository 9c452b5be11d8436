import { UsageError } from '../../src/errors.ts'

const units: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
}

const number = String.raw`(?:\d+\.?\d*|\.\d+)`
const bare = new RegExp(`^${number}$`)
const whole = new RegExp(`^(?:${number}(?:ns|us|µs|μs|ms|s|m|h))+$`)
const part = new RegExp(`(${number})(ns|us|µs|μs|ms|s|m|h)`, 'g')

/**
 * A duration as kubectl takes it: Go's `time.ParseDuration` (`1m30s`, `1.5h`), or bare seconds. In whole milliseconds,
 * rounded up so that what is more than nothing stays so.
 *
 * Ours, as what npm has (parse-duration, ms) takes `1 fortnight`, a bare number as milliseconds, or any nonsense as 0.
 */
export function readDuration(text: string): number {
  if (text.startsWith('-')) throw new UsageError('must not be negative')
  if (bare.test(text)) return roundUp(Number(text) * 1_000)
  if (!whole.test(text)) throw new UsageError('must be a duration such as 90s, 1m30s or 1.5h, or a number of seconds')
  let sum = 0
  for (const [, amount, unit = ''] of text.matchAll(part)) sum += Number(amount) * (units[unit] ?? 0)
  return roundUp(sum)
}

// 1.1 s is 1100.0000000000002 ms in floating point: what is below a nanosecond is no remainder.
function roundUp(milliseconds: number): number {
  return Math.ceil(Math.round(milliseconds * 1e6) / 1e6)
}
