import ApusControl
import ApusCore
import ApusIO
import ApusSwap

extension JobMethods {
    /// The methods about swaps.
    var swapMethods: [ControlMethod] {
        [
            ControlMethod("swap.plan", run: planSwap),
            ControlMethod("swap.run", run: runSwap),
            ControlMethod("swap.status") { _ in conductor.status() },
            ControlMethod("swap.commit", run: commitSwap),
            ControlMethod("swap.rollback", run: rollBackSwap),
            ControlMethod("swap.release", run: releaseVersion),
        ]
    }

    /// What a swap would do.
    struct SwapPlans: Codable {
        /// Nil when two files are compared without a job.
        var job: String?
        var plans: [SwapPlan]
    }

    private static let pollMilliseconds = 5

    private func planSwap(_ call: ControlCall) throws(ControlError) -> any Encodable {
        SwapPlans(job: job, plans: try conductor.plan(try call.parameters(SwapOrder.self)))
    }

    private func runSwap(_ call: ControlCall) throws(ControlError) -> any Encodable {
        let order = try call.parameters(SwapOrder.self)
        try conductor.begin(order)
        return try follow(call) { status in
            status.phase.isOver || (order.isDetached && status.phase == .probation)
        }
    }

    private func commitSwap(_ call: ControlCall) throws(ControlError) -> any Encodable {
        try decide(.commit, call)
    }

    private func rollBackSwap(_ call: ControlCall) throws(ControlError) -> any Encodable {
        try decide(.rollBack, call)
    }

    /// A version that may be tried again.
    struct Release: Codable {
        /// The beginning of the SHA-256 of its file.
        var sha256: String
    }

    /// A version that may be tried again.
    struct Released: Codable {
        var job: String
        var sha256: String
        /// Why it was taken back.
        var reason: String
    }

    private func releaseVersion(_ call: ControlCall) throws(ControlError) -> any Encodable {
        let wish = try call.parameters(Release.self)
        do {
            let journal = try session.journal()
            let found = journal.history.quarantined.filter { $0.sha256.hasPrefix(wish.sha256) }
            guard let version = found.last, Set(found.map(\.sha256)).count == 1 else {
                let names = journal.history.quarantined.map { String($0.sha256.prefix(12)) }
                throw ControlError(
                    .refused,
                    "job '\(job)': expected the beginning of one quarantined hash "
                        + "(\(names.isEmpty ? "there is none" : names.joined(separator: ", "))), "
                        + "found '\(wish.sha256)'"
                )
            }
            try journal.add(
                .released(sha256: version.sha256),
                atMicroseconds: admission.world.clock.wallMicroseconds()
            )
            return Released(job: job, sha256: version.sha256, reason: version.reason)
        } catch let error as ControlError {
            throw error
        } catch {
            throw ControlError(.failed, "job '\(job)': \(error)")
        }
    }

    private func decide(
        _ wish: SwapConductor.Wish,
        _ call: ControlCall
    ) throws(ControlError) -> any Encodable {
        try conductor.decide(wish)
        return try follow(call, until: \.phase.isOver)
    }

    /// Tells how a swap goes on until it is as far as somebody waits for.
    func follow(
        _ call: ControlCall,
        until isEnough: (SwapStatus) -> Bool
    ) throws(ControlError) -> SwapStatus {
        var waited = 0
        var phase = SwapStatus.Phase.none
        while true {
            let status = conductor.status()
            if isEnough(status) { return status }
            if status.phase != phase || waited >= 1000 {
                // All of it for each phase, and a line in between.
                let isNew = status.phase != phase
                call.tell(ControlProgress(isNew ? status.text : status.progressText))
                phase = status.phase
                waited = 0
            }
            // It goes on all the same.
            guard !call.isOver else { throw Self.nobodyWaits }
            LinuxThreads.sleep(milliseconds: Self.pollMilliseconds)
            waited += Self.pollMilliseconds
        }
    }
}
