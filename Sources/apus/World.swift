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
    let entropy: any Entropy = LinuxEntropy()
    let sockets: any Sockets = LinuxSockets()
    let environment: [String: String] = ProcessInfo.processInfo.environment

    /// Where those copies are.
    let imageDirectory: String

    /// Loads plugins, by way of private copies in a folder of the user's own.
    let loader: PluginLoader

    init() {
        // The last one is a single folder among everybody's: it is checked before it is used.
        let images =
            Self.folder(environment["APUS_CACHE"]).map { $0 + "/images" }
            ?? Self.folder(environment["XDG_RUNTIME_DIR"]).map { $0 + "/apus/images" }
            ?? NSTemporaryDirectory() + "apus-images-\(getuid())"
        imageDirectory = images
        loader = PluginLoader(disk: disk, imageDirectory: images)
        PluginLog.install(clock: clock) { level, owner, text in
            let name = ["", "debug", "info", "warning", "error"]
            Console.note("\(name[Int(min(level, 4))]): \(owner): \(text)")
        }
        armFailpoint()
    }

    /// Sets the trap that `APUS_FAILPOINT=C10@2` asks for: the process ends as if killed from
    /// outside when it passes C10 the second time.
    ///
    /// In debug builds only.
    private func armFailpoint() {
        guard Failpoint.areBuiltIn, let text = environment["APUS_FAILPOINT"], !text.isEmpty else {
            return
        }
        let parts = text.split(separator: "@")
        guard let name = parts.first, let point = Failpoint(rawValue: String(name)),
            let occurrence = parts.count > 1 ? Int(parts[1]) : 1
        else {
            Console.note("warning: APUS_FAILPOINT=\(text) names no failpoint; expected C10@1")
            return
        }
        Failpoint.arm(
            Failpoint.Trap(point: point, occurrence: occurrence) { kill(getpid(), SIGKILL) }
        )
    }

    /// An empty variable says nothing.
    private static func folder(_ value: String?) -> String? {
        value.flatMap { $0.isEmpty ? nil : $0 }
    }
}
