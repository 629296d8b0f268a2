import ApusCore
import ApusIO
import ApusPluginHost
import ApusRuntime
import ArgumentParser
import CApusGuard
import Foundation

/// `apus shadow`: the process in which a new version of an operator runs beside the running one.
///
/// Not for users.
struct ShadowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shadow",
        abstract: "Run a version of an operator on what a job tells, shut in.",
        shouldDisplay: false
    )

    @Argument(help: "The socket that the job listens at.")
    var socket: String

    /// How much memory the versions may use.
    private static let memoryByteCountMax = 4 << 30
    private static let answerMilliseconds: Int32 = 10_000
    /// How often the job is told what was found.
    private static let reportNanoseconds: Int64 = 50_000_000

    func run() throws {
        apus_guard_install_crash_report()
        let world = World()
        PluginLog.install(clock: world.clock) { _, owner, text in
            Console.note("shadow: \(owner): \(text)")
        }
        // What a version prints is not the job's output.
        let output = CapturedOutput()
        let link = ShadowLink(try world.sockets.connect(socket))
        let twin = try makeTwin(world, try link.next())
        var lastReport = world.clock.monotonicNanoseconds()
        var isGoingOn = true
        while isGoingOn {
            guard let message = try link.next(whenIdle: { try link.send(twin.report) }) else {
                break
            }
            isGoingOn = twin.take(message)
            let now = world.clock.monotonicNanoseconds()
            if isGoingOn, now - lastReport < Self.reportNanoseconds { continue }
            lastReport = now
            try link.send(twin.report)
        }
        withExtendedLifetime(output) {
            // Not exit: what the plugins want to do at the end is of no interest.
            _exit(0)
        }
    }

    private func makeTwin(_ world: World, _ first: ArraySlice<UInt8>?) throws -> ShadowTwin {
        guard let first else { throw ExitStatus.failed }
        let setup = try JSONDecoder().decode(ShadowSetup.self, from: Data(first.dropFirst()))
        let staged = [
            try world.loader.stage(setup.running.image), try world.loader.stage(setup.new.image),
        ]
        _ = ScanSandbox.enter(memoryByteCount: Self.memoryByteCountMax)
        let versions = try zip(staged, [setup.running, setup.new]).map { staged, version in
            let plugin = try world.loader.load(staged)
            return JobEnvironment.Implementation(
                plugin: plugin,
                component: try plugin.componentIndex(version.component)
            )
        }
        return ShadowTwin(setup, running: versions[0], new: versions[1], clock: world.clock)
    }
}
