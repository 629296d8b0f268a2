/// Bytes that a plugin passes to a function of the host.
enum PluginBytes {
    // SAFETY: the plugin promises so many readable bytes for as long as the call lasts.

    /// Whether there can be so many bytes.
    @inline(__always)
    static func isReadable(_ bytes: UnsafeRawPointer?, _ length: UInt64) -> Bool {
        bytes != nil || length == 0
    }

    /// The bytes as a buffer.
    @inline(__always)
    static func buffer(_ start: UnsafeRawPointer?, _ count: UInt64) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : Int(count))
    }
}
