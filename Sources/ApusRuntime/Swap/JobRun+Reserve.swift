import ApusCore
import ApusGraph
import ApusMemory
import ApusPluginHost
import ApusState

extension JobRun {
    /// How long memory is taken ahead at most, in nanoseconds: what is missing then is taken when
    /// it is needed.
    private static let reserveNanoseconds: Int64 = 10_000_000_000
    /// How long subtasks have to tell how much they have, likewise.
    private static let occupancyNanoseconds: Int64 = 1_000_000_000

    /// Gives new versions as much memory as the old ones have, before rows move there.
    ///
    /// On a thread that gets what task threads leave: it must not hold records up.
    func reserveMemory(for swaps: [SubtaskSwap], _ node: PlanNode) {
        let occupancies = occupancies(node)
        let clock = environment.clock
        let deadline = clock.monotonicNanoseconds() + Self.reserveNanoseconds
        environment.threads.start(name: "apus-reserve", role: .background) { [self] in
            for (swap, occupancy) in zip(swaps, occupancies) {
                guard let occupancy, case .forward(let instance, _, _) = swap.work else { continue }
                // Nobody else has the instance until the swap is posted.
                instance.state?.reserve(occupancy) {
                    hasEnded || clock.monotonicNanoseconds() >= deadline
                }
            }
        }.join()
    }

    /// How much each subtask has, in their order; nil for those that do not say.
    private func occupancies(_ node: PlanNode) -> [StateOccupancy?] {
        let bell = Doorbell()
        let requests = stateInboxes[node.index].map { inbox in
            let request = StateRequest(.occupancy, bell: bell)
            inbox.post(request)
            return request
        }
        wakeThreads()
        bell.sleep(nanoseconds: Self.occupancyNanoseconds) {
            requests.allSatisfy { $0.answer != nil }
        }
        return requests.map { request in
            if case .occupancy(let occupancy) = request.answer { occupancy } else { nil }
        }
    }
}
