import ApusControl
import ApusCore
import ApusRuntime
import ApusSwap
import ArgumentParser

// The graph of a running job: another number of subtasks, another job file.
//
// The run ends with a checkpoint, and the next one goes on from it in the same process; for another
// job file see `SwapConductor+Upgrade.swift`.
extension JobMethods {
    /// The methods about the graph.
    var graphMethods: [ControlMethod] {
        [
            ControlMethod("job.rescale", run: rescale),
            ControlMethod("job.plan", run: planUpgrade),
            ControlMethod("job.upgrade", run: upgrade),
        ]
    }

    /// Another number of subtasks.
    struct Rescale: Codable {
        var parallelism: Int
    }

    /// A job that goes on with another graph.
    struct GraphChanged: Codable {
        var job: String
        var parallelism: Int
        /// The checkpoint from which it goes on.
        var checkpoint: UInt64?
        /// How long no record was processed at most: from the order until the job ran again, in
        /// microseconds.
        var pauseMicroseconds: Int64
    }

    private func rescale(_ call: ControlCall) throws(ControlError) -> any Encodable {
        let wish = try call.parameters(Rescale.self)
        let before = session.run.parallelism
        guard (1...session.run.maxParallelism).contains(wish.parallelism) else {
            throw ControlError(
                .badParameters,
                "parallelism: expected 1 to \(session.run.maxParallelism), found "
                    + "\(wish.parallelism)"
            )
        }
        guard wish.parallelism != before else {
            throw ControlError(.refused, "job '\(job)' has \(before) subtasks already")
        }
        var intent = SwapIntent(.rescale)
        intent.parallelism = SwapIntent.Parallelism(from: before, to: wish.parallelism)
        return try change(call, intent) {
            try JobReplanner(running: session.loaded, admission: admission)
                .rescaled(to: wish.parallelism)
        }
    }

    private func planUpgrade(_ call: ControlCall) throws(ControlError) -> any Encodable {
        try conductor.plan(try call.parameters(UpgradeOrder.self)).plan
    }

    private func upgrade(_ call: ControlCall) throws(ControlError) -> any Encodable {
        let order = try call.parameters(UpgradeOrder.self)
        try conductor.begin(order)
        return try follow(call) { status in
            status.phase.isOver || (order.isDetached && status.phase == .probation)
        }
    }

    private func change(
        _ call: ControlCall,
        _ intent: SwapIntent,
        _ plan: () throws -> JobRelaunch
    ) throws(ControlError) -> GraphChanged {
        let clock = admission.world.clock
        guard session.run.takesCheckpoints else {
            throw ControlError(
                .refused,
                "job '\(job)' takes no checkpoints to go on from; give it a `checkpoint:`"
            )
        }
        // What is wrong with the plan is for who asks, not for the job's own standard error.
        var planned: Result<JobRelaunch, any Error>?
        let messages = Console.gathering { planned = Result { try plan() } }
        do {
            // Before anything ends.
            guard let relaunch = try planned?.get() else { preconditionFailure("it was planned") }
            let journal = try session.journal()
            let noted = try journal.begin(intent, atMicroseconds: clock.wallMicroseconds())
            let begin = clock.monotonicNanoseconds()
            do throws(JobRelaunchError) {
                try session.relaunch(relaunch)
            } catch {
                try journal.add(
                    .abandoned(swap: noted.swap, reason: error.description),
                    atMicroseconds: clock.wallMicroseconds()
                )
                throw ControlError(
                    error.goesOn ? .refused : .failed,
                    "job '\(job)': \(error.description)"
                        + (error.goesOn ? "; it goes on as it was" : "")
                )
            }
            let took = clock.monotonicNanoseconds() - begin
            let checkpoint = session.run.origin
            try journal.add(
                .cut(swap: noted.swap, checkpoint: checkpoint),
                atMicroseconds: clock.wallMicroseconds()
            )
            try journal.add(
                .committed(swap: noted.swap),
                atMicroseconds: clock.wallMicroseconds()
            )
            return GraphChanged(
                job: job,
                parallelism: session.run.parallelism,
                checkpoint: checkpoint,
                pauseMicroseconds: took / 1000
            )
        } catch let error as ControlError {
            throw error
        } catch {
            let reason = error is ExitCode ? messages.joined(separator: "\n") : "\(error)"
            throw ControlError(.refused, "job '\(job)': nothing was changed: \(reason)")
        }
    }
}
