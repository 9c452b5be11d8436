import { constants } from 'node:os'
import type { EndSignal } from './io.ts'

/** A signal's number, as shells add it to 128. */
export function signalNumber(signal: EndSignal): number {
  return constants.signals[`SIG${signal}`]
}
