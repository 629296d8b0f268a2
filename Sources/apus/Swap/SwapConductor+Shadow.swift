import ApusControl
import ApusCore
import ApusIO
import ApusPluginHost
import ApusRuntime
import ApusSwap
import Foundation
import Synchronization

// The new version beside the running one, before anything of it is let into the job's process.
extension SwapConductor {
    private static let shadowPollMilliseconds = 20

    /// Refuses a shadow that would tell nothing, or do harm.
    func checkShadow(_ plans: [SwapPlan], _ order: SwapOrder) throws(ControlError) {
        guard order.shadowMicroseconds != nil else { return }
        guard plans.count == 1 else {
            throw ControlError(
                .refused,
                "job '\(job)': --shadow compares one operator: what a new version in front of "
                    + "another one would send is not there; swap them one after the other, or "
                    + "without --shadow"
            )
        }
    }

    /// Refuses one of an operator that would ask the world twice.
    func checkShadow(_ order: SwapOrder, makesCalls: Bool) throws {
        guard order.shadowMicroseconds != nil, makesCalls else { return }
        throw RollbackError(
            "makes asynchronous calls, and in a shadow they would be made twice; use --guard "
                + "without --shadow"
        )
    }

    /// Runs the new version as a shadow, if that is wanted.
    ///
    /// - Returns: Why the swap is not to go on; nil when it is.
    func shadow(_ plans: [SwapPlan], _ order: SwapOrder) -> String? {
        guard let duration = order.shadowMicroseconds, let plan = plans.first else { return nil }
        tell { $0.phase = .shadowing }
        let ends: [String]
        do {
            ends = try compare(plan, microseconds: duration)
        } catch {
            return "the shadow did not come about: \(error)"
        }
        let (report, wish) = current.withLock { current in
            defer { current?.wish = nil }
            return (current?.status.shadow?.report ?? ShadowReport(), current?.wish)
        }
        tell { $0.phase = .preparing }
        if wish == .rollBack { return "on request, in the shadow" }
        if let failure = ends.first { return "in the shadow: \(failure)" }
        if report.keysRefused > 0, order.policy == .rollBack {
            return "in the shadow: \(report.keysRefused) of \(report.keys) keys could not be taken "
                + "over: \(report.refusal ?? "?")"
        }
        if report.differenceRate > order.maxDifferences, wish != .commit {
            return "in the shadow: \(report.onlyRunning + report.onlyNew) outputs differ, "
                + "\(Self.percent(report.differenceRate)) of all; "
                + "\(Self.percent(order.maxDifferences)) may (--max-differences)"
        }
        if report.records == 0, wish != .commit {
            return "in the shadow: no record came, so nothing was compared; wait for some, or give "
                + "it more time (--shadow)"
        }
        return order.isShadowOnly ? SwapStatus.shadowOnlyReason : nil
    }

    private static func percent(_ rate: Double) -> String {
        "\((rate * 1000).rounded() / 10) %"
    }

    /// Compares until the time is up, somebody decides, or it cannot go on.
    ///
    /// - Returns: What has gone wrong, by subtask.
    private func compare(_ plan: SwapPlan, microseconds: Int64) throws -> [String] {
        let run = session.run
        let sources = try begin(plan, run)
        let folder = world.imageDirectory
        let processes = sources.enumerated().map { subtask, source in
            ShadowProcess(
                source,
                subtask: subtask,
                at: "\(folder)/shadow-\(getpid())-\(subtask).sock",
                world
            )
        }
        let threads = processes.map { process in
            world.threads.start(name: "apus-shadow", role: .background) { process.run() }
        }
        let end = world.clock.monotonicNanoseconds() + microseconds * 1000
        var left = Int64.max
        while left > 0, processes.allSatisfy({ $0.end == nil }), !run.isEnding,
            session.run === run, current.withLock({ $0?.wish }) == nil
        {
            LinuxThreads.sleep(milliseconds: Self.shadowPollMilliseconds)
            left = end - world.clock.monotonicNanoseconds()
            tell(processes, left)
        }
        for process in processes { process.finish() }
        for thread in threads { thread.join() }
        tell(processes, 0)
        return zip(processes, sources).enumerated().compactMap { subtask, pair in
            let (process, source) = pair
            if source.feed.hasOverflown {
                return "the new version is too slow: subtask \(subtask) had "
                    + "\(ShadowFeed.byteCountMax >> 20) MiB waiting for it"
            }
            guard case .failed(let reason) = process.end else { return nil }
            return "subtask \(subtask): \(reason)"
        }
    }

    private func begin(_ plan: SwapPlan, _ run: JobRun) throws -> [JobRun.ShadowSource] {
        guard let running = run.implementation(of: plan.operator) else { return [] }
        let staged = try world.loader.stage(plan.to.file)
        guard staged.sha256 == plan.to.sha256 else {
            throw RollbackError("\(plan.to.file) has changed since it was planned")
        }
        return try run.beginShadow(
            of: plan.operator,
            running: ShadowSetup.Version(
                image: running.plugin.imagePath,
                component: running.description.id
            ),
            new: ShadowSetup.Version(image: staged.image, component: plan.to.component),
            encode: { Array(try JSONEncoder().encode($0)) }
        )
    }

    private func tell(_ processes: [ShadowProcess], _ leftNanoseconds: Int64) {
        var report = ShadowReport()
        for process in processes { report.add(process.report) }
        tell { status in
            status.shadow = SwapStatus.Shadow(
                endsInSeconds: Double(max(0, leftNanoseconds)) / 1e9,
                differenceRate: report.differenceRate,
                report: report
            )
        }
    }
}

extension SwapStatus {
    /// Why a swap ends that was to be compared and no more.
    static let shadowOnlyReason = "only a shadow was wanted, and it has passed"

    /// Whether it was to be compared and no more, and has passed.
    var hasShadowPassed: Bool { phase == .abandoned && reason == Self.shadowOnlyReason }
}
