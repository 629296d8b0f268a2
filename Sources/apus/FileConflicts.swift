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
        /// Whether it is a folder in which nothing else may lie: what is in it is removed.
        var isOwnFolder = false
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
        let uses = uses()
        for use in uses where use.isStandardInput || !use.path.hasPrefix("/dev/") {
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
        return problems + findInside(uses)
    }

    /// Files and folders that lie where the job removes what it finds.
    private func findInside(_ uses: [Use]) -> [String] {
        uses.filter(\.isOwnFolder).flatMap { folder in
            let start = canonical(folder.path) + "/"
            return uses.filter { canonical($0.path).hasPrefix(start) }.map { use in
                let place = use.location.map { ":\($0.line):\($0.column)" } ?? ""
                return "\(job.fileName)\(place): \(use.what) \(use.isWritten ? "writes" : "reads") "
                    + "\(use.path), which lies in \(folder.path), the folder of \(folder.what); "
                    + "expected a place outside of it; choose another path"
            }
        }
    }

    private func folderUses() -> [Use] {
        var uses: [Use] = []
        if let checkpoint = job.durability.checkpoint {
            uses.append(
                Use(
                    what: "spec.checkpoint",
                    path: checkpoint.directory,
                    location: nil,
                    isWritten: true,
                    isOwnFolder: true
                )
            )
        }
        if case .rocksdb(let directory?) = job.durability.storage {
            uses.append(
                Use(
                    what: "spec.state",
                    path: directory,
                    location: nil,
                    isWritten: true,
                    isOwnFolder: true
                )
            )
        }
        return uses
    }

    private func uses() -> [Use] {
        var uses = folderUses()
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

    /// The path with links resolved, as far as it is there.
    private func canonical(_ path: String) -> String {
        var folder = path.hasPrefix("/") ? path : "./" + path
        var missing: [Substring] = []
        while true {
            while folder.count > 1, folder.hasSuffix("/") { folder.removeLast() }
            if let found = existing(folder) {
                var names = found.split(separator: "/").map(String.init)
                for name in missing.reversed() {
                    // What is not there is no link.
                    if name == ".." { _ = names.popLast() } else { names.append(String(name)) }
                }
                return "/" + names.joined(separator: "/")
            }
            guard let slash = folder.lastIndex(of: "/") else { return path }
            let name = folder[folder.index(after: slash)...]
            if name != "." { missing.append(name) }
            folder = slash == folder.startIndex ? "/" : String(folder[..<slash])
        }
    }

    /// The path with links resolved; nil when it is not there.
    private func existing(_ path: String) -> String? {
        do { return try disk.canonicalPath(path) } catch { return nil }
    }
}
