import ApusControl
import ApusCore
import ApusGraph
import ApusPluginHost
import ApusRuntime

/// The control socket of the job that this process runs.
struct JobControl {
    private let listener: any ListeningSocket
    private let world: World

    /// Makes the socket, before the job runs; nil for a job that needs none.
    ///
    /// - Parameters:
    ///   - path: Where the user wants it; nil for the checkpoint folder.
    ///   - folder: The job's checkpoint folder; nil for a job without.
    ///   - world: The seams.
    /// - Throws: ``SocketError`` when the user has said where, and it cannot be there.
    init?(at path: String?, folder: String?, world: World) throws(SocketError) {
        self.world = world
        if let path {
            listener = try world.sockets.listen(path)
            return
        }
        guard let folder else { return nil }
        do throws(SocketError) {
            listener = try world.sockets.listen(ControlPlace.path(inFolder: folder))
        } catch {
            // Nobody has asked for it: the job runs as well without.
            Console.note("warning: \(error); the job cannot be asked while it runs")
            return nil
        }
    }

    /// Begins to answer.
    func serve(_ session: JobSession, _ admission: PluginAdmission) -> ControlServer {
        let job = session.loaded.plan.jobName
        let conductor = SwapConductor(
            job: job,
            session: session,
            admission: admission,
            world: world
        )
        session.onEnd { run in conductor.relaunch(after: run) }
        let methods = JobMethods(
            job: job,
            session: session,
            admission: admission,
            conductor: conductor
        )
        return ControlServer(
            listener,
            methods: methods.all,
            threads: world.threads,
            clock: world.clock
        )
    }

    /// Removes the socket of a job that did not come to run.
    func close() { listener.close() }
}
