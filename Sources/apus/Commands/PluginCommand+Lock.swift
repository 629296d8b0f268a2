import ApusCore
import ApusPluginHost
import ArgumentParser
import Foundation

extension PluginCommand {
    /// `apus plugin lock`.
    struct Lock: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List plugins as those that may be loaded, by the hashes of their files.",
            discussion: """
                Each file is checked and scanned, then written into the list; an entry of the \
                same id and version is replaced, others stay. `apus run` and `apus job validate` \
                use the list with --plugins-lock FILE, or when it is called plugins.lock and lies \
                beside the job file. Nothing else is loaded then.

                EXAMPLE
                  apus plugin lock libfraud.so libgeo.so --to plugins.lock
                  apus plugin lock libfraud.so --to plugins.lock --sign release.key
                """
        )

        @Argument(help: "The plugins' files (.so).")
        var files: [String]

        @Option(help: "The list; made when it is missing.")
        var to = PluginsLock.fileName

        @Option(
            help: ArgumentHelp(
                "Sign the entries with this private key, and have the list trust it.",
                valueName: "keyfile"
            )
        )
        var sign: String?

        @Flag(help: "Print the list as JSON.")
        var json = false

        func run() throws {
            let world = World()
            do {
                var lock = try read(world)
                let key = try sign.map { try SigningKey($0, disk: world.disk) }
                if let key, !lock.keys.contains(key.publicKey) {
                    guard !lock.keys.contains(where: { $0.name == key.name }) else {
                        throw PluginsLockError(
                            to,
                            "trusts another key with the name '\(key.name)'; make one with "
                                + "another name: `apus plugin keygen --name NAME`"
                        )
                    }
                    lock.keys.append(key.publicKey)
                }
                for file in files { try add(file, to: &lock, key, world) }
                let text = try Console.json(lock)
                try world.disk.writeAtomically(Array((text + "\n").utf8), to: to, mode: 0o644)
                try Console.print(json ? text : self.text(lock))
            } catch let error as any CustomStringConvertible & Error {
                Console.error(error.description)
                throw ExitStatus.invalid
            }
        }

        private func read(_ world: World) throws -> PluginsLock {
            guard world.disk.exists(to) else { return PluginsLock() }
            let bytes = try world.disk.readPlainFile(
                to,
                maximumByteCount: PluginsLock.byteCountMax
            )
            return try PluginsLock.read(bytes, file: to)
        }

        private func add(
            _ file: String,
            to lock: inout PluginsLock,
            _ key: SigningKey?,
            _ world: World
        ) throws {
            let staged = try world.loader.stage(file)
            let report = try PluginScan(world: world).describe(staged)
            let isSame = { (entry: PluginsLock.Entry) in
                entry.sha256 == staged.sha256
                    || (entry.id == report.id && entry.version == report.version)
            }
            let old = lock.plugins.first(where: isSame)
            if let old, old.sha256 == staged.sha256, let reason = old.revoked {
                throw PluginsLockError(
                    to,
                    "\(old.id) \(old.version) is revoked: \(reason); take `revoked` out of its "
                        + "entry first, if it is to be trusted again"
                )
            }
            var entry = PluginsLock.Entry(
                id: report.id,
                version: report.version,
                sha256: staged.sha256,
                file: (file as NSString).lastPathComponent,
                libraries: old?.libraries
            )
            entry.signature = try key?.sign(entry)
            lock.plugins.removeAll(where: isSame)
            lock.plugins.append(entry)
            lock.plugins.sort { ($0.id, $0.version) < ($1.id, $1.version) }
        }

        private func text(_ lock: PluginsLock) -> String {
            let lines = lock.plugins.map { entry in
                "  \(entry.id) \(entry.version)  \(entry.sha256)"
                    + (entry.signature.map { "  signed by \($0.key)" } ?? "")
                    + (entry.revoked.map { "  revoked: \($0)" } ?? "")
            }
            return (["\(to): \(lock.plugins.count) plugins"] + lines).joined(separator: "\n")
        }
    }

    /// `apus plugin keygen`.
    struct Keygen: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "keygen",
            abstract: "Make a key to sign plugins with (ed25519).",
            discussion: """
                The file holds the private key, readable by you alone: whoever has it can sign. \
                The public key is printed; `apus plugin lock --sign` writes it into the list.

                EXAMPLE
                  apus plugin keygen --to release.key --name release
                """
        )

        @Option(help: "The new file.")
        var to: String

        @Option(help: "The key's name in lists.")
        var name = "default"

        @Flag(help: "Print JSON.")
        var json = false

        func validate() throws {
            let isWord =
                !name.isEmpty && name.allSatisfy { $0.isLetter || $0.isNumber || $0 == "-" }
            guard isWord else {
                throw ValidationError("--name \(name): expected letters, digits and '-'")
            }
        }

        func run() throws {
            let key = SigningKey(name: name)
            do {
                try key.write(to: to, disk: World().disk)
            } catch {
                Console.error(error.description)
                throw ExitStatus.invalid
            }
            let text = "\(to): key '\(name)', public key \(key.publicKey.publicKey)"
            try Console.print(json ? try Console.json(key.publicKey) : text)
        }
    }
}
