import CApusGuard
import CApusPlugin
import Glibc

/// Who is called, for the crash report, and help with the error struct of a call.
final class CallSite: @unchecked Sendable {
    // @unchecked because the text is written once, in init.

    let pointer: UnsafePointer<apus_guard_site>

    init(_ owner: String) {
        // SAFETY: neither is ever freed: a thread may crash while it still refers to them.
        let site = UnsafeMutablePointer<apus_guard_site>.allocate(capacity: 1)
        site.initialize(to: apus_guard_site(owner: strdup(owner)))
        pointer = UnsafePointer(site)
    }

    /// An error struct as a callee gets it.
    static var emptyError: apus_error {
        var error = apus_error()
        error.size = UInt32(MemoryLayout<apus_error>.size)
        return error
    }

    /// The message in an error struct, or nil when there is none.
    ///
    /// Never longer than the struct, and always valid UTF-8, whatever the plugin wrote.
    static func message(of error: UnsafeMutablePointer<apus_error>) -> String? {
        withUnsafeBytes(of: &error.pointee.message) { bytes in
            let count = min(Int(error.pointee.len), bytes.count)
            guard count > 0 else { return nil }
            return String(decoding: bytes[..<count], as: UTF8.self)
        }
    }
}
