/** Whether a body is Kubernetes' protobuf, which kubectl's typed clients send. */
export function isProtobuf(body: Buffer): boolean {
  return body.subarray(0, 4).toString('latin1') === 'k8s\0'
}

/** The fields of the object in a body: it is wrapped in a runtime.Unknown. */
export function unwrap(body: Buffer): Map<number, Buffer> {
  return decodeFields(decodeFields(body.subarray(4)).get(2))
}

/** The fields of a protobuf message that hold texts, bytes or messages, by number; the last of each. */
export function decodeFields(message: Buffer = Buffer.alloc(0)): Map<number, Buffer> {
  const fields = new Map<number, Buffer>()
  let at = 0
  const varint = (): number => {
    let [value, scale] = [0, 1]
    for (;;) {
      const byte = message[at++] ?? 0
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
      scale *= 128
    }
  }
  while (at < message.length) {
    const key = varint()
    // 2 is "with a length"; of the other kinds, none but numbers occur in what is read here.
    const length = varint()
    if ((key & 7) !== 2) continue
    fields.set(Math.floor(key / 8), message.subarray(at, at + length))
    at += length
  }
  return fields
}
