// What @peculiar/x509 is built on looks for it.
// oxlint-disable-next-line import/no-unassigned-import
import 'reflect-metadata'
import type { webcrypto } from 'node:crypto'
import {
  BasicConstraintsExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509'

/** A server's certificate and key, and the authority that vouches for it, as PEM. */
export interface Certificates {
  ca: string
  cert: string
  key: string
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const lifetime = 365 * 24 * 3600 * 1000

/** Makes a certificate authority and by it a certificate for this machine's own addresses. The authority's key is lost. */
export async function createCertificates(): Promise<Certificates> {
  const [authority, server] = await Promise.all([newKeys(), newKeys()])
  const times = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + lifetime) }
  const ca = await X509CertificateGenerator.createSelfSigned({
    ...times,
    name: 'CN=kuberun sandbox CA',
    keys: authority,
    signingAlgorithm: algorithm,
    extensions: [new BasicConstraintsExtension(true, 0, true)],
  })
  const cert = await X509CertificateGenerator.create({
    ...times,
    subject: 'CN=kuberun sandbox',
    issuer: ca.subject,
    publicKey: server.publicKey,
    signingKey: authority.privateKey,
    signingAlgorithm: algorithm,
    extensions: [
      new SubjectAlternativeNameExtension([
        { type: 'dns', value: 'localhost' },
        { type: 'ip', value: '127.0.0.1' },
        { type: 'ip', value: '::1' },
      ]),
    ],
  })
  const key = PemConverter.encode(await crypto.subtle.exportKey('pkcs8', server.privateKey), 'PRIVATE KEY')
  return { ca: ca.toString('pem'), cert: cert.toString('pem'), key }
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
}
