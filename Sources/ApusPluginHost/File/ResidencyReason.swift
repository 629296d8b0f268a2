/// Why a library cannot be unloaded once it was loaded.
package enum ResidencyReason: String, Codable, Sendable {
    /// Swift's runtime keeps pointers into it.
    case swift
    /// Go's runtime has threads that never end.
    case go
    /// Its note says that a process can hold one such runtime only.
    case oneRuntime = "one-runtime"
    /// It asked never to be unloaded.
    case noDelete = "no-delete"
    /// The dynamic linker keeps what has unique objects.
    case uniqueObjects = "unique-objects"
    /// Its part of the static thread-local room is not given back.
    case staticThreadLocals = "static-thread-locals"
    /// Threads may yet run its destructors of thread-local objects.
    case threadDestructors = "thread-destructors"
    /// A thread that it started still runs.
    case threads
    /// A signal's handler is in it.
    case signalHandler = "signal-handler"
    /// The dynamic linker kept it for a reason of its own.
    case linker

    /// The reason for people.
    package var text: String {
        switch self {
        case .swift: "it tells Swift's runtime of itself, which keeps pointers into loaded code"
        case .go: "it is in Go, whose runtime never ends its threads"
        case .oneRuntime: "its note says ONE_RUNTIME: its runtime cannot be taken down"
        case .noDelete: "it was linked with -z nodelete"
        case .uniqueObjects: "it has unique objects (STB_GNU_UNIQUE), which keep it loaded"
        case .staticThreadLocals:
            "its thread-local variables lie in room that a process does not get back"
        case .threadDestructors:
            "it registers destructors for the ends of threads (thread_local, thread keys)"
        case .threads: "a thread that it started still runs"
        case .signalHandler: "the handler of a signal lies in it"
        case .linker: "the dynamic linker keeps it: something else refers to it"
        }
    }
}
