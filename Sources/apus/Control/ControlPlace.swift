import ApusControl
import ApusIO
import ArgumentParser

/// Where the control socket of a job is.
enum ControlPlace {
    /// The socket's name in a job's checkpoint folder.
    static let name = "control.sock"

    /// The socket of the job with a checkpoint folder.
    static func path(inFolder folder: String) -> String {
        folder.hasSuffix("/") ? folder + name : folder + "/" + name
    }

    /// Connects to a running job, or ends the program with what is wrong.
    ///
    /// - Parameters:
    ///   - folder: The job's checkpoint folder; nil when only the socket is given.
    ///   - socket: The socket's path, if it is not in the folder.
    /// - Returns: The connection.
    /// - Throws: The status to end with, when no job listens there.
    static func connect(folder: String?, socket: String?) throws -> ControlClient {
        guard let path = socket ?? folder.map(path(inFolder:)) else {
            throw ValidationError("expected the checkpoint folder of a job, or --control PATH")
        }
        return try orExit { () throws(ControlError) in
            do throws(ControlError) {
                return try ControlClient(path, sockets: LinuxSockets())
            } catch {
                guard error.code == .nobody else { throw error }
                let hint =
                    socket == nil
                    ? "; a job that was started with --control PATH is found with the same option"
                    : ""
                throw ControlError(.nobody, "\(error.message): is it running?\(hint)")
            }
        }
    }

    /// Runs a part of a command that asks a job; what goes wrong ends the program.
    static func orExit<Result>(
        _ body: () throws(ControlError) -> Result
    ) throws -> Result {
        do {
            return try body()
        } catch {
            Console.error(error.message)
            switch error.code {
            case .nobody, .refused, .badParameters, .unknownMethod: throw ExitStatus.invalid
            case .badRequest, .busy, .failed, .ended, .silent: throw ExitStatus.failed
            }
        }
    }
}

/// What the commands take that ask a running job.
struct ControlOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The job's control socket, if it was started with --control.",
            valueName: "path"
        )
    )
    var control: String?
}
