import ApusCore
import ApusGraph
import ApusPluginHost

/// Reads the secrets of a job from where they are.
///
/// Messages name secrets and places, never what is in them.
struct SecretFiles {
    private let job: JobDescription
    private let world: World

    init(_ job: JobDescription, _ world: World) {
        self.job = job
        self.world = world
    }

    /// All secrets; nil for a job without.
    ///
    /// Prints what is missing, each with its line, before it throws.
    func read() throws -> SecretTable? {
        guard !job.secrets.isEmpty else { return nil }
        var found: [String: [UInt8]] = [:]
        var isComplete = true
        for secret in job.secrets {
            switch value(of: secret.origin) {
            case .success(let bytes): found[secret.name] = bytes
            case .failure(let problem):
                isComplete = false
                let place = secret.location
                Console.note(
                    "\(job.fileName):\(place.line):\(place.column): "
                        + "spec.secrets.\(secret.name): \(problem.text)"
                )
            }
        }
        guard isComplete else { throw ExitStatus.invalid }
        return SecretTable(found)
    }

    /// Why there is no secret.
    private struct Problem: Error {
        let text: String
    }

    private func value(of origin: SecretDescription.Origin) -> Result<[UInt8], Problem> {
        let bytes: [UInt8]
        let place: String
        switch origin {
        case .environment(let name):
            place = "the variable \(name)"
            guard let value = world.environment[name] else {
                return .failure(
                    Problem(
                        text: "\(place) is not set; expected the secret in it: set it where apus "
                            + "is started"
                    )
                )
            }
            bytes = Array(value.utf8)
        case .file(let path):
            place = "the file \(path)"
            do {
                bytes = try world.disk.readAll(
                    path,
                    maximumByteCount: SecretDescription.byteCountMax
                )
            } catch {
                return .failure(
                    Problem(text: "\(error.description); expected a file with the secret in it")
                )
            }
        }
        let value = bytes.last == UInt8(ascii: "\n") ? Array(bytes.dropLast()) : bytes
        guard !value.isEmpty else {
            return .failure(Problem(text: "\(place) is empty; expected the secret in it"))
        }
        return .success(value)
    }
}
