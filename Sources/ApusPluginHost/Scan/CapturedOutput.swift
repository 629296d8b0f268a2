import CApusGuard

/// Standard output, kept away from what a plugin prints while it is scanned.
package struct CapturedOutput {
    private let results: Int32
    private let captured: Int32

    private static let textByteCountMax = 64 << 10

    /// Begins to keep what is printed; nil when the system has no more descriptors.
    package init?() {
        var captured: Int32 = -1
        results = apus_guard_capture_output(&captured)
        self.captured = captured
        guard results >= 0, captured >= 0 else { return nil }
    }

    /// Gives standard output back.
    ///
    /// - Returns: What was printed, at most 64 KiB.
    package func end() -> String {
        var text = [UInt8](repeating: 0, count: Self.textByteCountMax)
        // SAFETY: the function writes at most as many bytes as the array has.
        let count = apus_guard_end_capture(results, captured, &text, UInt64(text.count))
        return String(decoding: text.prefix(Int(count)), as: UTF8.self)
    }
}
