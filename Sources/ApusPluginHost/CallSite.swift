import CApusGuard
import CApusPlugin
import Glibc
import Synchronization

/// Who is called, for the crash report, and help with the error struct of a call.
final class CallSite: @unchecked Sendable {
    // @unchecked because the text is written once, before anybody has the site, and the rest by
    // the thread that calls, or when nobody calls any more.

    /// Who is called.
    private struct Name: Hashable {
        let owner: String
        let content: String?
    }

    /// A site that nobody has at the moment.
    private struct Spare: @unchecked Sendable {
        // @unchecked because it only carries the pointer.
        let site: UnsafeMutablePointer<apus_guard_site>
    }

    /// A job that is swapped all day needs no more sites than it has had different callees at once.
    private static let spares: Mutex<[Name: [Spare]]> = Mutex([:])

    private let name: Name
    let pointer: UnsafePointer<apus_guard_site>
    private let site: UnsafeMutablePointer<apus_guard_site>

    /// Notes who is called.
    ///
    /// - Parameters:
    ///   - owner: Plugin, operator and subtask.
    ///   - content: The hash of the plugin's file, when it is known.
    init(_ owner: String, content: String? = nil) {
        let name = Name(owner: owner, content: content)
        self.name = name
        // SAFETY: none of these is ever freed: a thread may crash while it still refers to them.
        // They are only used again, for the same callee.
        if let spare = Self.spares.withLock({ $0[name]?.popLast() }) {
            site = spare.site
            pointer = UnsafePointer(spare.site)
            return
        }
        site = UnsafeMutablePointer<apus_guard_site>.allocate(capacity: 1)
        var value = apus_guard_site()
        value.owner = UnsafePointer(strdup(owner))
        value.content = content.flatMap { UnsafePointer(strdup($0)) }
        site.initialize(to: value)
        pointer = UnsafePointer(site)
    }

    deinit {
        var value = apus_guard_site()
        value.owner = site.pointee.owner
        value.content = site.pointee.content
        site.pointee = value
        let spare = Spare(site: site)
        Self.spares.withLock { $0[name, default: []].append(spare) }
    }

    /// Ties the context of an instance to the site: a report tells where in a batch a call was,
    /// and the context's `stop` is the site's.
    ///
    /// Before the first call; the context must live until the last one, and then ``release()``.
    func attach(_ context: UnsafeMutablePointer<apus_ctx>) {
        site.pointee.ctx = UnsafePointer(context)
        // SAFETY: the word is part of the site, which lives for ever.
        context.pointee.stop = apus_guard_stop_word(pointer)
    }

    /// Unties it.
    func release() { site.pointee.ctx = nil }

    /// An error struct as a callee gets it.
    static var emptyError: apus_error {
        var error = apus_error()
        error.size = UInt32(MemoryLayout<apus_error>.size)
        return error
    }

    /// The message in an error struct, or nil when there is none.
    ///
    /// Never longer than the struct, always valid UTF-8, and one line of what can be printed,
    /// whatever the plugin wrote.
    static func message(of error: UnsafeMutablePointer<apus_error>) -> String? {
        withUnsafeBytes(of: &error.pointee.message) { bytes in
            let count = min(Int(error.pointee.len), bytes.count)
            guard count > 0 else { return nil }
            return PluginText.printable(String(decoding: bytes[..<count], as: UTF8.self))
        }
    }
}
