import CApusGuard

/// Something of the process that a plugin changed while it was loaded, and must leave alone.
package struct ProcessChange: Codable, Equatable, Sendable {
    /// What was changed: "the umask".
    package let what: String
    /// What it was.
    package let before: String
    /// What the plugin made of it.
    package let after: String
    /// Whether it is as it was again.
    package let isRestored: Bool

    /// Creates a change.
    package init(what: String, before: String, after: String, isRestored: Bool) {
        self.what = what
        self.before = before
        self.after = after
        self.isRestored = isRestored
    }

    /// One sentence for the log.
    package var text: String {
        "changed \(what) from \(before) to \(after) while it was loaded"
            + (isRestored ? "; put back" : "; it stays changed")
    }

    private static let textByteCountMax = 16 << 10

    /// Runs something that may change the process, and puts back what it changed.
    ///
    /// - Returns: What it returned, and what was changed.
    static func undoing<Value>(
        _ body: () throws(PluginError) -> Value
    ) throws(PluginError) -> (value: Value, changes: [ProcessChange]) {
        let state = apus_guard_process_state()
        let value: Value
        do {
            value = try body()
        } catch {
            _ = restore(state)
            throw error
        }
        return (value, restore(state))
    }

    private static func restore(_ state: OpaquePointer?) -> [ProcessChange] {
        var text = [CChar](repeating: 0, count: textByteCountMax)
        // SAFETY: the function writes a text with a zero at its end within the array, and frees
        // the state, which came from apus_guard_process_state and is not used after.
        apus_guard_restore_process(state, &text, text.count)
        let bytes = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { line in
            let parts = line.split(separator: "\t", omittingEmptySubsequences: false)
            guard parts.count == 4 else { return nil }
            return ProcessChange(
                what: String(parts[0]),
                before: String(parts[1]),
                after: String(parts[2]),
                isRestored: parts[3] == "1"
            )
        }
    }
}
