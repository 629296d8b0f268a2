import CApusGuard
import CApusPlugin
import Synchronization

/// The functions of `apus.thread_check/1`.
///
/// The guard notes who runs on each thread; instances are told apart by their call sites.
enum ThreadCheck {
    // @unchecked because sites are never freed, and are compared only.
    private struct Site: @unchecked Sendable {
        // SAFETY: sites are never freed, and are compared only.
        let pointer: UnsafePointer<apus_guard_site>
    }

    private static let sites: Mutex<[UInt64: Site]> = Mutex([:])

    static func add(_ site: UnsafePointer<apus_guard_site>, _ instance: UInt64) {
        sites.withLock { $0[instance] = Site(pointer: site) }
    }

    static func remove(_ instance: UInt64) { sites.withLock { $0[instance] = nil } }

    static func makeFunctions() -> apus_thread_check_api {
        apus_thread_check_api(
            size: UInt32(MemoryLayout<apus_thread_check_api>.size),
            reserved: 0,
            is_op: { instance in
                guard let site = ThreadCheck.sites.withLock({ $0[instance] }) else { return 0 }
                let isCallback = apus_guard_running_control() == 0
                return isCallback && apus_guard_running_site() == site.pointer ? 1 : 0
            },
            is_ctl: { apus_guard_running_control() }
        )
    }
}
