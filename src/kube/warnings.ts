/**
 * The texts of a `Warning:` header: the API server's advice about a request that it granted, such as a policy's.
 * Several come as one header, separated by commas: `299 - "text"`. See RFC 7234, section 5.5.
 */
export function warningsIn(header: string | undefined): string[] {
  const matches = (header ?? '').matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g)
  return [...matches].map((match) => (match[1] ?? '').replace(/\\(.)/g, '$1'))
}
