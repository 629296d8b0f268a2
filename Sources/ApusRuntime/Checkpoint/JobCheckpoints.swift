import ApusCheckpoint
import ApusCore
import ApusGraph
import ApusMemory
import ApusState
import Synchronization

/// The checkpoints of a job at work: the checkpoint thread as others see it.
final class JobCheckpoints: Sendable {
    let history: CheckpointHistory
    private let mailbox: CheckpointMailbox
    private let running: any RunningThread
    private let end: End

    private final class End: Sendable {
        let isReached: Atomic<Bool> = Atomic(false)
    }

    private init(
        _ surroundings: CheckpointCoordinator.Surroundings,
        deliveries: [String: any OutputDelivery],
        threadCount: Int,
        threads: any Threads
    ) {
        history = surroundings.history
        mailbox = surroundings.mailbox
        let end = End()
        self.end = end
        running = threads.start(name: "apus-checkpoint", role: .background) {
            var coordinator = CheckpointCoordinator(
                surroundings,
                deliveries: deliveries,
                threadCount: threadCount
            )
            coordinator.run()
            end.isReached.store(true, ordering: .sequentiallyConsistent)
            coordinator.refuseRest()
        }
    }

    /// Asks for a last checkpoint, behind which the sources end.
    func stop() { mailbox.post(.stopRequested) }

    /// Asks for a checkpoint; answered at the latest when the checkpoint thread ends.
    func post(_ wish: CheckpointWish) {
        mailbox.post(.wish(wish))
        // Nobody opens letters any more: what came before the end was answered there.
        if hasEnded { wish.fulfil(.refused("the job has ended")) }
    }

    /// Has what is due delivered now.
    func deliverSoon() { mailbox.post(.deliveryAllowed) }

    /// Has the checkpoint thread look whether the job is broken off.
    func wake() { mailbox.wake() }

    /// Whether the checkpoint thread has ended.
    var hasEnded: Bool { end.isReached.load(ordering: .sequentiallyConsistent) }

    /// Waits for the end of the checkpoint thread.
    func join() { running.join() }

    // MARK: - Before a job runs

    /// What is done before the threads are there.
    struct Preparation {
        /// What the job goes on from.
        let restore: RestorePlan
        private let plan: PhysicalPlan
        private let environment: JobEnvironment
        private let deliveries: [String: any OutputDelivery]
        private let inFlightDirectory: String
        private let mailbox = CheckpointMailbox()
        /// The operators' versions.
        let versions: OperatorVersions

        /// Checks that the job can go on from its checkpoint, and delivers what that has
        /// undelivered.
        ///
        /// - Throws: ``JobFailure`` when it does not fit, or output cannot be delivered.
        init(plan: PhysicalPlan, environment: JobEnvironment) throws(JobFailure) {
            self.plan = plan
            self.environment = environment
            let settings = environment.checkpoints
            restore = try RestorePlan(
                settings?.restored,
                plan: plan,
                implementations: environment.implementations,
                dropping: settings?.droppedState ?? [],
                swapped: settings?.swapped ?? []
            )
            versions = OperatorVersions(plan, environment.implementations, restore)
            guard let settings else {
                deliveries = [:]
                inFlightDirectory = ""
                return
            }
            do {
                inFlightDirectory = try settings.folder.workDirectory("in-flight")
            } catch {
                throw JobFailure(.environment, node: "checkpoints", error.description)
            }
            deliveries = try OutputRecovery(
                plan: plan,
                environment: environment,
                settings: settings,
                restore: restore
            )
            .run()
            Failpoint.hit(.x6)
        }

        /// Whether the input had ended, so that nothing is left to do.
        var isFinal: Bool { restore.isFinal }

        /// What a task thread needs; nil when there are no checkpoints.
        func makeThreadCheckpoints() -> ThreadCheckpoints? {
            guard let settings = environment.checkpoints else { return nil }
            return ThreadCheckpoints(
                mailbox: mailbox,
                clock: environment.clock,
                disk: settings.disk,
                alignmentTimeout: settings.rule.alignmentTimeoutMicroseconds.map { $0 * 1000 },
                inFlightDirectory: inFlightDirectory,
                load: settings.state?.writer.load
            )
        }

        /// Starts the checkpoint thread; nil when there are no checkpoints.
        func start(_ control: RunControl, threads: [TaskThread]) -> JobCheckpoints? {
            guard let settings = environment.checkpoints else { return nil }
            let surroundings = CheckpointCoordinator.Surroundings(
                settings: settings,
                contents: CheckpointContents(
                    plan: plan,
                    versions: versions,
                    operatorNumbers: restore.operatorNumbers,
                    retired: restore.retired,
                    writerVersion: settings.writerVersion
                ),
                control: control,
                mailbox: mailbox,
                history: CheckpointHistory(lastComplete: settings.restored?.number),
                deadLetters: environment.deadLetters,
                clock: environment.clock,
                notify: environment.notify,
                wakeThreads: {
                    // Callbacks that run are asked to return when the job is broken off.
                    for thread in threads {
                        if control.current == .abort { thread.requestStop() }
                        thread.bell.ring()
                    }
                }
            )
            return JobCheckpoints(
                surroundings,
                deliveries: deliveries,
                threadCount: threads.count,
                threads: environment.threads
            )
        }
    }
}
