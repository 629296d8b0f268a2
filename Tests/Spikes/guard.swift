// Calls one misbehaving callback through the real guard, on a thread of the system's, from Swift.
//
//     guard MISDEED TIMES [unprepared]
import Glibc

final class Kept {
    // nonisolated(unsafe) because one thread counts, and the main one waits for it.
    nonisolated(unsafe) static var alive = 0
    init() { Kept.alive += 1 }
    deinit { Kept.alive -= 1 }
}

let misdeed = CommandLine.arguments[1]
let times = Int(CommandLine.arguments[2]) ?? 1
let isPrepared = CommandLine.arguments.count < 4
apus_guard_install_crash_report()

func calls() {
    if isPrepared { apus_guard_prepare_thread() }
    let site = UnsafeMutablePointer<apus_guard_site>.allocate(capacity: 1)
    var value = apus_guard_site()
    value.owner = UnsafePointer(strdup("plugin spike, \(misdeed)"))
    site.initialize(to: value)
    var error = apus_error()
    error.size = UInt32(MemoryLayout<apus_error>.size)
    var context = apus_ctx()
    let functions = spike_operator(misdeed)
    withUnsafeMutablePointer(to: &error) { error in
        context.error = error
        var code: Int32 = 0
        let start = spike_clock()
        for _ in 0..<times {
            let kept = Kept()
            code = apus_guard_process(site, functions, nil, &context, nil)
            withExtendedLifetime(kept) {}
        }
        let each = (spike_clock() - start) / UInt64(times)
        print("code \(code), \(each) ns each, C++ objects left \(spike_alive()),", terminator: " ")
    }
    print("Swift objects left \(Kept.alive)")
}

var thread = pthread_t()
pthread_create(
    &thread,
    nil,
    { _ in
        calls()
        return nil
    },
    nil
)
pthread_join(thread, nil)
