import ApusCore

/// The threads of the process, and whose they are.
enum ThreadCensus {
    /// Whether a library can start threads with a function.
    static func startsThreads(_ name: String) -> Bool {
        // The last one is of std::thread, with what it takes behind it.
        ["pthread_create", "thrd_create", "clone", "clone3"].contains(name)
            || name.hasPrefix("_ZNSt6thread15_M_start_thread")
    }

    /// All threads by the system's numbers; empty where they cannot be listed.
    static func now(_ disk: any Disk) -> Set<Int32> {
        let entries = (try? disk.list("/proc/self/task")) ?? []  // There is nothing to see then.
        return Set(entries.compactMap { Int32($0.name) })
    }

    /// Threads that a plugin may have started and that still run.
    ///
    /// Those that began after it was loaded and that are not the host's own.
    static func threads(of plugin: LoadedPlugin, _ disk: any Disk) -> Int {
        guard let contents = plugin.report.contents,
            // What it needs beyond the system may start threads for it.
            !contents.threadStarters.isEmpty || !contents.otherLibraries.isEmpty
        else { return 0 }
        let others = now(disk).subtracting(plugin.earlierThreads).subtracting(HostThreads.all)
        return others.filter { !isDatabase($0, disk) }.count
    }

    /// Whether a thread is one of the state database's, which start when they are needed.
    private static func isDatabase(_ thread: Int32, _ disk: any Disk) -> Bool {
        let path = "/proc/self/task/\(thread)/comm"
        guard
            let name = try? disk.readAll(path, maximumByteCount: 64)  // It has ended meanwhile.
        else { return true }
        return String(decoding: name, as: UTF8.self).hasPrefix("rocksdb:")
    }
}
