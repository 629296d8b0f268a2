import CApusPlugin
import Glibc

/// The optional interfaces that this host has, by name.
package enum HostExtensions {
    /// Their names.
    package static let names: Set<String> = [
        APUS_ASYNC, APUS_RETAIN, APUS_THREAD_CHECK, APUS_SECRETS,
    ]

    // SAFETY: none of the tables is ever freed: plugins keep pointers to them.
    // `nonisolated(unsafe)` because each is written once, here, and only read after that.
    nonisolated(unsafe) private static let async = keep(AsyncInterface.makeFunctions())
    // Likewise, because it is only read.
    nonisolated(unsafe) private static let retain = keep(RetainInterface.makeFunctions())
    // Likewise, because it is only read.
    nonisolated(unsafe) private static let threadCheck = keep(ThreadCheck.makeFunctions())

    /// The interface of a name that a plugin asks for; nil for any other name.
    ///
    /// Any thread.
    static func find(_ name: UnsafePointer<CChar>?) -> UnsafeRawPointer? {
        guard let name else { return nil }
        if strcmp(name, APUS_ASYNC) == 0 { return async }
        if strcmp(name, APUS_RETAIN) == 0 { return retain }
        if strcmp(name, APUS_THREAD_CHECK) == 0 { return threadCheck }
        if strcmp(name, APUS_SECRETS) == 0 { return UnsafeRawPointer(SecretRegistry.functions) }
        return nil
    }

    private static func keep<Table>(_ table: Table) -> UnsafeRawPointer {
        let pointer = UnsafeMutablePointer<Table>.allocate(capacity: 1)
        pointer.initialize(to: table)
        return UnsafeRawPointer(pointer)
    }
}
