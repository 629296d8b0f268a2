import ApusCore
import ApusGraph
import ApusIO
import ApusPluginHost
import ApusRuntime

/// Starts runs of a job, one after the other: what they have in common.
struct JobLauncher: Sendable {
    let world: World
    let secrets: SecretTable?
    let deadLetters: DeadLetterFile

    /// What a run has of its own until its threads start.
    struct Opened {
        let durable: DurableJob
        let endpoints: Endpoints
    }

    /// Opens a job's checkpoints and its local database.
    ///
    /// - Throws: ``CheckpointError``, ``StoreError`` or ``StartError``; nothing is open then.
    func open(
        _ plan: PhysicalPlan,
        start: StartPoint?,
        droppedState: [String] = [],
        rewindsOutput: Bool = false,
        swapped: Set<String> = [],
        isOnProbation: Bool = false
    ) throws -> Opened {
        let durable = try DurableJob(
            plan,
            world: world,
            start: start,
            droppedState: droppedState,
            rewindsOutput: rewindsOutput,
            swapped: swapped,
            isOnProbation: isOnProbation
        )
        do {
            return Opened(
                durable: durable,
                endpoints: try Endpoints(world: world, durable: durable)
            )
        } catch {
            durable.close()
            throw error
        }
    }

    /// Starts the threads.
    ///
    /// - Throws: ``JobFailure`` when it cannot go on from its checkpoint, or something cannot be
    ///   made; what was opened is left open.
    func start(
        _ opened: Opened,
        _ loaded: JobPreparation.Loaded
    ) throws(JobFailure) -> JobRun {
        let environment = JobEnvironment(
            clock: world.clock,
            threads: world.threads,
            endpoints: opened.endpoints,
            deadLetters: deadLetters,
            implementations: loaded.implementations,
            codecs: loaded.codecs,
            secrets: secrets,
            functions: loaded.functions,
            checkpoints: opened.durable.settings,
            notify: { Console.note("note: \($0)") }
        )
        return try JobRun(plan: loaded.plan, environment: environment)
    }
}
