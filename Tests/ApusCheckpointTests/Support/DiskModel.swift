import ApusCore
import ApusTestSupport

/// Files and folders as a value: what the kernel shows, and what is on the platter.
struct DiskModel: Sendable {
    /// A change of a name that is not on the platter yet.
    enum NameChange: Sendable {
        case set(String, Int)
        case remove(String)
        /// Within one folder, at once.
        case move(String, String, Int)
    }

    struct Node: Sendable {
        var isFolder: Bool
        /// What the kernel shows.
        var bytes: [UInt8] = []
        /// What is on the platter.
        var durableBytes: [UInt8] = []
        /// Whether synchronising failed, so that it never helps again.
        var isLost = false
        var modifiedNanoseconds: Int64 = 0
        /// What the kernel shows.
        var names: [String: Int] = [:]
        /// What is on the platter.
        var durableNames: [String: Int] = [:]
        /// What a synchronisation would bring there.
        var pending: [NameChange] = []
    }

    var nodes: [Int: Node] = [1: Node(isFolder: true)]
    private var newest = 1
    private var now: Int64 = 1_000

    // MARK: What the kernel shows

    func find(_ path: String) -> Int? {
        var node = 1
        for name in path.split(separator: "/") {
            guard let next = nodes[node]?.names[String(name)] else { return nil }
            node = next
        }
        return node
    }

    func file(_ path: String) throws(DiskError) -> Int {
        guard let node = find(path) else { throw Self.error("open", path, 2) }
        guard nodes[node]?.isFolder == false else { throw Self.error("open", path, 21) }
        return node
    }

    /// The bytes of a file; nil when there is none.
    func bytes(_ path: String) -> [UInt8]? {
        find(path).flatMap { nodes[$0] }.flatMap { $0.isFolder ? nil : $0.bytes }
    }

    /// The paths of all files below a folder.
    func files(below path: String) -> [String] {
        guard let node = find(path), let folder = nodes[node] else { return [] }
        return folder.names.keys.sorted().flatMap { name in
            let child = path + "/" + name
            return nodes[folder.names[name] ?? 0]?.isFolder == true
                ? files(below: child) : [child]
        }
    }

    func status(_ path: String) -> FileStatus? {
        guard let number = find(path), let node = nodes[number] else { return nil }
        return FileStatus(
            kind: node.isFolder ? .folder : .file,
            byteCount: node.bytes.count,
            identity: FileIdentity(device: 1, number: UInt64(number)),
            modifiedNanoseconds: node.modifiedNanoseconds
        )
    }

    func list(_ path: String) throws(DiskError) -> [FolderEntry] {
        guard let node = find(path), let folder = nodes[node] else {
            throw Self.error("list", path, 2)
        }
        guard folder.isFolder else { throw Self.error("list", path, 20) }
        return folder.names.sorted { $0.key < $1.key }.map { name, child in
            FolderEntry(name: name, isFolder: nodes[child]?.isFolder == true)
        }
    }

    // MARK: Changes

    private mutating func folder(of path: String) throws(DiskError) -> (node: Int, name: String) {
        let parts = path.split(separator: "/").map(String.init)
        guard let name = parts.last, let node = find("/" + parts.dropLast().joined(separator: "/"))
        else { throw Self.error("create", path, 2) }
        return (node, name)
    }

    private mutating func change(_ folder: Int, _ change: NameChange) {
        nodes[folder]?.names.apply(change)
        nodes[folder]?.pending.append(change)
    }

    private mutating func make(_ node: Node) -> Int {
        newest += 1
        now += 1
        nodes[newest] = node
        nodes[newest]?.modifiedNanoseconds = now
        return newest
    }

    mutating func create(_ path: String) throws(DiskError) -> Int {
        let (folder, name) = try folder(of: path)
        guard nodes[folder]?.names[name] == nil else { throw Self.error("create", path, 17) }
        let node = make(Node(isFolder: false))
        change(folder, .set(name, node))
        return node
    }

    mutating func makeFolders(_ path: String) throws(DiskError) {
        var so = ""
        for name in path.split(separator: "/") {
            so += "/" + name
            if let node = find(so) {
                guard nodes[node]?.isFolder == true else {
                    throw Self.error("create folder", so, 20)
                }
                continue
            }
            let (parent, name) = try folder(of: so)
            change(parent, .set(name, make(Node(isFolder: true))))
        }
    }

    mutating func append(_ bytes: [UInt8], to node: Int) {
        now += 1
        nodes[node]?.bytes += bytes
        nodes[node]?.modifiedNanoseconds = now
    }

    mutating func rename(_ path: String, _ newPath: String) throws(DiskError) {
        guard let node = find(path) else { throw Self.error("rename", path, 2) }
        let (old, oldName) = try folder(of: path)
        let (new, newName) = try folder(of: newPath)
        // As POSIX has it: two names of one file both stay.
        if find(newPath) == node { return }
        guard find(newPath).flatMap({ nodes[$0]?.isFolder }) != true else {
            throw Self.error("rename", newPath, 21)
        }
        if old == new {
            change(old, .move(oldName, newName, node))
        } else {
            change(new, .set(newName, node))
            change(old, .remove(oldName))
        }
    }

    mutating func link(_ path: String, _ newPath: String) throws(DiskError) {
        let node = try file(path)
        let (folder, name) = try folder(of: newPath)
        guard nodes[folder]?.names[name] == nil else { throw Self.error("link", newPath, 17) }
        change(folder, .set(name, node))
    }

    mutating func remove(_ path: String) throws(DiskError) {
        guard let node = find(path) else { throw Self.error("remove", path, 2) }
        guard nodes[node]?.names.isEmpty == true else { throw Self.error("remove", path, 39) }
        let (folder, name) = try folder(of: path)
        change(folder, .remove(name))
    }

    // MARK: The platter

    mutating func synchronizeFile(_ node: Int, isLost: Bool) {
        guard var file = nodes[node] else { return }
        if isLost { file.isLost = true }
        if !file.isLost { file.durableBytes = file.bytes }
        nodes[node] = file
    }

    mutating func synchronizeFolder(_ path: String, isLost: Bool) throws(DiskError) {
        guard let node = find(path), nodes[node]?.isFolder == true else {
            throw Self.error("open", path, 2)
        }
        let pending = nodes[node]?.pending ?? []
        nodes[node]?.pending = []
        if isLost { return }
        for change in pending { nodes[node]?.durableNames.apply(change) }
    }

    /// What is left after a power cut: all that is on the platter, and any part of the rest.
    ///
    /// - Parameters:
    ///   - random: Decides which part.
    ///   - keepsNothing: Whether nothing of the rest is left.
    /// - Returns: The disk as the next start finds it.
    func afterPowerCut(_ random: inout SplitMix64, keepsNothing: Bool = false) -> DiskModel {
        var left = self
        for (number, node) in nodes.sorted(by: { $0.key < $1.key }) {
            var node = node
            var names = node.durableNames
            for change in node.pending where !keepsNothing && random.isOnce(in: 2) {
                names.apply(change)
            }
            node.names = names
            node.durableNames = names
            node.pending = []
            if !node.isLost, !keepsNothing, node.bytes != node.durableBytes {
                node.durableBytes = Self.torn(node, &random)
            }
            node.bytes = node.durableBytes
            left.nodes[number] = node
        }
        return left
    }

    /// What may be left of a file that was not synchronised.
    private static func torn(_ node: Node, _ random: inout SplitMix64) -> [UInt8] {
        switch random.number(in: 0...3) {
        case 0: return node.durableBytes
        case 1: return node.bytes
        // The length got there and the bytes did not.
        case 2: return [UInt8](repeating: 0, count: node.bytes.count)
        default: return Array(node.bytes.prefix(random.number(in: 0...node.bytes.count)))
        }
    }

    private static func error(_ operation: String, _ path: String, _ number: Int32) -> DiskError {
        DiskError(operation: operation, path: path, reason: "error \(number)", errorNumber: number)
    }
}

extension [String: Int] {
    fileprivate mutating func apply(_ change: DiskModel.NameChange) {
        switch change {
        case .set(let name, let node): self[name] = node
        case .remove(let name): self[name] = nil
        case .move(let old, let new, let node):
            // On the platter the old name may never have been.
            if self[old] == node { self[old] = nil }
            self[new] = node
        }
    }
}
