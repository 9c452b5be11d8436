const pattern = /^([+-]?)(\d+\.?\d*|\.\d+)(?:([KMGTPE]i)|([numkMGTPE])|[eE]([+-]?\d{1,2}))?$/
const decimal: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }
const binary = ['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']

/**
 * The amount that a Kubernetes quantity (`20Mi`, `0.5`, `100m`, `1e3`) stands for, in units of 10^-108, exact, so that
 * amounts can be compared; undefined for what is no quantity.
 */
export function parseQuantity(text: string): bigint | undefined {
  const [whole, sign, digits = '', binarySuffix, decimalSuffix, exponent] = pattern.exec(text) ?? []
  if (whole === undefined) return undefined
  const [integer = '', fraction = ''] = digits.split('.')
  const power = (decimal[decimalSuffix ?? ''] ?? 0) + Number(exponent ?? 0)
  const multiplier = 1024n ** BigInt(binary.indexOf(binarySuffix ?? '') + 1)
  const places = 108 + power - fraction.length
  if (places < 0) return undefined
  const amount = BigInt(integer + fraction) * multiplier * 10n ** BigInt(places)
  return sign === '-' ? -amount : amount
}
