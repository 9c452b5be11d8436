import { UsageError } from '../../src/errors.ts'

const shape = /^(\d+\.?\d*|\.\d+)(?:([kKMGT])(i?))?B?$/

/**
 * A size in bytes: `500MB` and `1.5GB` count in thousands, `200MiB` in 1024s, a bare number in bytes. The B may be left
 * out, as in the quantities of Kubernetes.
 */
export function readSize(text: string): number {
  if (text.startsWith('-')) throw new UsageError('must not be negative')
  const [, amount, letter = '', binary] = shape.exec(text) ?? []
  if (amount === undefined) throw new UsageError('must be a size such as 500MB, 1.5GB or 200MiB, or a number of bytes')
  const steps = ' KMGT'.indexOf(letter === '' ? ' ' : letter.toUpperCase())
  return Math.round(Number(amount) * (binary ? 1024 : 1000) ** steps)
}
