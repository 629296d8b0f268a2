extension FileFacts {
    /// Names whose use leaves pointers into the library with the threads of the process.
    private static let threadDestructorNames: Set<String> = [
        "__cxa_thread_atexit", "__cxa_thread_atexit_impl", "pthread_key_create", "tss_create",
    ]

    /// Why it would stay; empty for a library that can be unloaded when it is unused.
    var residency: [ResidencyReason] {
        var reasons: [ResidencyReason] = []
        if isSwift || note?.languageName == "Swift" { reasons.append(.swift) }
        if isGo || note?.languageName == "Go" { reasons.append(.go) }
        if note?.isOneRuntime == true { reasons.append(.oneRuntime) }
        if isNeverUnloaded { reasons.append(.noDelete) }
        if !uniqueNames.isEmpty { reasons.append(.uniqueObjects) }
        if needsStaticThreadLocals { reasons.append(.staticThreadLocals) }
        if !imports.isDisjoint(with: Self.threadDestructorNames) {
            reasons.append(.threadDestructors)
        }
        return reasons
    }
}
