import CApusGuard
import Glibc

/// Who is called, for the crash report.
final class FunctionSite: @unchecked Sendable {
    // @unchecked because the text is written once, in init.

    let pointer: UnsafePointer<apus_guard_site>

    /// Creates a site.
    ///
    /// - Parameter owner: `function pow of libm.so.6, operator power, subtask 1`.
    init(_ owner: String) {
        // SAFETY: neither is ever freed: a thread may crash while it still refers to them.
        let site = UnsafeMutablePointer<apus_guard_site>.allocate(capacity: 1)
        var value = apus_guard_site()
        value.owner = UnsafePointer(strdup(owner))
        site.initialize(to: value)
        pointer = UnsafePointer(site)
    }
}
