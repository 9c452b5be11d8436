// The rules of Kubernetes for names: apimachinery's pkg/util/validation. Each function tells what is wrong, or nothing.

const label = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/
const subdomain = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/
const word = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/

/** A namespace's name (a DNS label). */
export function labelNameFault(name: string): string | undefined {
  if (name.length > 63) return 'must be no more than 63 characters'
  return label.test(name)
    ? undefined
    : 'must be lower-case letters, digits and "-", with a letter or digit at both ends'
}

/** The name of most objects (a DNS subdomain). */
export function subdomainFault(name: string): string | undefined {
  if (name.length > 253) return 'must be no more than 253 characters'
  return subdomain.test(name)
    ? undefined
    : 'must be lower-case letters, digits, "-" and ".", with a letter or digit at both ends of each part'
}

/** The key of a label, annotation, taint or resource: a name, with or without a domain and a slash before it. */
export function keyFault(key: string): string | undefined {
  const slash = key.indexOf('/')
  const name = key.slice(slash + 1)
  if (slash >= 0) {
    const fault = subdomainFault(key.slice(0, slash))
    if (fault !== undefined) return `the part before the slash ${fault}`
  }
  if (name === '') return 'must have a name'
  if (name.length > 63) return 'the name must be no more than 63 characters'
  return word.test(name) ? undefined : 'must be letters, digits, "-", "_" and ".", with a letter or digit at both ends'
}

/** The value of a label. */
export function labelValueFault(value: string): string | undefined {
  if (value === '') return undefined
  if (value.length > 63) return 'must be no more than 63 characters'
  return word.test(value) ? undefined : 'must be letters, digits, "-", "_" and ".", with a letter or digit at both ends'
}

/** The name of an environment variable. */
export function envNameFault(name: string): string | undefined {
  if (name === '') return 'must not be empty'
  return /^[ -<>-~]+$/.test(name) ? undefined : 'must be printable ASCII without "="'
}
