import CApusPlugin

/// The `apus_host` that every plugin of the process gets, and the version that it tells.
package enum HostTable {
    /// The version of Apus.
    package static let version = "0.1.0"

    /// The table; lives as long as the process.
    ///
    /// `nonisolated(unsafe)` because the struct is written once, here, and only read after that.
    nonisolated(unsafe) static let pointer: UnsafePointer<apus_host> = {
        // SAFETY: none of these allocations is ever freed: plugins keep pointers to them.
        let level = UnsafeMutablePointer<UInt32>.allocate(capacity: 1)
        level.initialize(to: UInt32(APUS_LOG_INFO))
        let host = UnsafeMutablePointer<apus_host>.allocate(capacity: 1)
        host.initialize(
            to: apus_host(
                size: UInt32(MemoryLayout<apus_host>.size),
                major: UInt16(APUS_ABI_MAJOR),
                minor: UInt16(APUS_ABI_MINOR),
                log_level: UnsafePointer(level),
                log: { instance, level, text, length in
                    guard let text else { return }
                    let count = min(Int(clamping: length), 4096)
                    let bytes = UnsafeRawBufferPointer(start: text, count: count)
                    let line = PluginText.printable(String(decoding: bytes, as: UTF8.self))
                    PluginLog.write(instance, level, line)
                },
                get_extension: { HostExtensions.find($0) },
                name: makeText("apus"),
                version: makeText(version)
            )
        )
        return UnsafePointer(host)
    }()

    private static func makeText(_ text: StaticString) -> apus_str {
        apus_str(
            data: UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self),
            len: UInt64(text.utf8CodeUnitCount)
        )
    }

    private static func makeText(_ text: String) -> apus_str {
        let bytes = Array(text.utf8)
        let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
        for (index, byte) in bytes.enumerated() { copy[index] = CChar(bitPattern: byte) }
        return apus_str(data: UnsafePointer(copy), len: UInt64(bytes.count))
    }
}

extension HostTable {
    /// The version of the ABI.
    package static let abi = "\(APUS_ABI_MAJOR).\(APUS_ABI_MINOR)"

    /// The name of the function that a plugin exports.
    package static let entryName = APUS_ENTRY_NAME
}
