import CApusPlugin

/// Writing into the host's error struct.
enum ErrorSlot {
    /// Writes a code and a message, cut to what fits.
    ///
    /// - Returns: The code.
    static func fill(
        _ slot: UnsafeMutablePointer<apus_error>?,
        _ code: Int32,
        _ message: String
    ) -> Int32 {
        var text = message
        // SAFETY: the text is copied before withUTF8 returns; apus_fail_bytes checks the slot.
        return text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { characters in
                apus_fail_bytes(slot, code, characters.baseAddress, UInt64(characters.count))
            }
        }
    }
}
