import Crypto

/// The name of a file by its content: SHA-256.
package enum FileDigest {
    /// 64 hexadecimal digits.
    package static func sha256(_ bytes: [UInt8]) -> String {
        var hash = SHA256()
        // SAFETY: the buffer covers the array during the call.
        bytes.withUnsafeBytes { hash.update(bufferPointer: $0) }
        return Hexadecimal.text(hash.finalize())
    }
}
