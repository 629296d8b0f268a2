import ApusCore
import ApusGraph

/// Files that two nodes of a job would use at once: one would destroy what the other one needs.
struct FileConflicts {
    private struct Use {
        let what: String
        let path: String
        let location: SourceLocation?
        let isWritten: Bool
        var isStandardInput = false
    }

    private let job: JobDescription
    private let disk: any Disk

    init(_ job: JobDescription, disk: any Disk) {
        self.job = job
        self.disk = disk
    }

    /// The conflicts, each as a line for the user; devices are left out.
    func find() -> [String] {
        var problems: [String] = []
        var byName: [String: Use] = [:]
        var byIdentity: [FileIdentity: Use] = [:]
        for use in uses() where use.isStandardInput || !use.path.hasPrefix("/dev/") {
            let name = canonical(use.path)
            let identity = disk.identity(use.path)
            guard let other = byName[name] ?? identity.flatMap({ byIdentity[$0] }) else {
                byName[name] = use
                if let identity { byIdentity[identity] = use }
                continue
            }
            guard use.isWritten || other.isWritten else { continue }
            let place = use.location.map { ":\($0.line):\($0.column)" } ?? ""
            problems.append(
                "\(job.fileName)\(place): \(use.what) writes \(use.path), which \(other.what) "
                    + (other.isWritten ? "writes as well" : "reads")
                    + "; expected a file of its own; choose another path"
            )
        }
        return problems
    }

    private func uses() -> [Use] {
        var uses: [Use] = []
        uses.append(
            Use(what: "the job itself", path: job.fileName, location: nil, isWritten: false)
        )
        for source in job.sources {
            if case .stdin = source.kind {
                uses.append(
                    Use(
                        what: "source '\(source.id)'",
                        path: "/dev/stdin",
                        location: source.location,
                        isWritten: false,
                        isStandardInput: true
                    )
                )
            }
            guard case .file(let file) = source.kind else { continue }
            uses.append(
                Use(
                    what: "source '\(source.id)'",
                    path: file.path,
                    location: source.location,
                    isWritten: false
                )
            )
        }
        for sink in job.sinks {
            guard case .file(let path, _) = sink.kind else { continue }
            uses.append(
                Use(
                    what: "sink '\(sink.id)'",
                    path: path,
                    location: sink.location,
                    isWritten: true
                )
            )
        }
        if job.errors.policy == .deadLetter {
            uses.append(
                Use(
                    what: "spec.errors",
                    path: job.errors.deadLetterFile,
                    location: nil,
                    isWritten: true
                )
            )
        }
        return uses
    }

    /// The path with links resolved; of a file that is not there yet, its folder's.
    private func canonical(_ path: String) -> String {
        do {
            return try disk.canonicalPath(path)
        } catch {
            let parts = path.split(separator: "/", omittingEmptySubsequences: false)
            let folder = parts.dropLast().joined(separator: "/")
            guard let name = parts.last, parts.count > 1, folder != path else {
                return canonicalFolder(".") + "/" + path
            }
            return canonicalFolder(folder.isEmpty ? "/" : folder) + "/" + name
        }
    }

    private func canonicalFolder(_ path: String) -> String {
        do { return try disk.canonicalPath(path) } catch { return path }
    }
}
