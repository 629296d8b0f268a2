import ApusCore
import ApusIO
import ApusPluginHost
import CApusPlugin
import Foundation

/// The composition root: the one place that picks the real clock, disk, processes and threads.
struct World: Sendable {
    let clock: any Clock = LinuxClock()
    let disk: any Disk = LinuxDisk()
    let processes: any Processes = LinuxProcesses()
    let threads: any Threads = LinuxThreads()
    let environment: [String: String] = ProcessInfo.processInfo.environment

    /// Loads plugins, by way of private copies in a folder of the user's own.
    let loader: PluginLoader

    init() {
        let base =
            environment["APUS_CACHE"]
            ?? environment["XDG_RUNTIME_DIR"].map { $0 + "/apus" }
            ?? NSTemporaryDirectory() + "apus-\(getuid())"
        loader = PluginLoader(disk: disk, imageDirectory: base + "/images")
        PluginLog.install(clock: clock) { level, owner, text in
            let name = ["", "debug", "info", "warning", "error"]
            Console.note("\(name[Int(min(level, 4))]): \(owner): \(text)")
        }
    }
}
