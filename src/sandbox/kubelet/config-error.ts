/** A container that cannot be made as it is described; the message is the kubelet's. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}
