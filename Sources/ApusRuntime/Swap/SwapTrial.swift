import ApusMemory
import ApusPluginHost
package import ApusState
import ApusSwap

/// Tries the migrations of a swap on what some keys have, before anything is touched.
package struct SwapTrial: Sendable {
    /// Keys of a subtask that are tried.
    package static let keysPerSubtask = 64

    /// What was found.
    package struct Finding: Equatable, Sendable {
        /// What is wrong.
        package let text: String
        /// Whether a value could not be migrated; otherwise the same value became two.
        package let isFailure: Bool
    }

    private let replacement: OperatorReplacement

    /// Creates a trial of a replacement.
    package init(_ replacement: OperatorReplacement) { self.replacement = replacement }

    /// Migrates everything twice.
    ///
    /// Any thread: migrations are pure, or found out here.
    ///
    /// - Parameter images: What some keys have.
    /// - Returns: The first thing that is wrong; nil when nothing was found.
    package func run(_ images: [KeyImage]) -> Finding? {
        let change = replacement.change
        guard change.parts.contains(where: { $0.kind == .state && $0.verdict == .migrate }) else {
            return nil
        }
        let step: StateMigration.Step
        do throws(PluginError) {
            step = try change.step(
                by: replacement.implementation,
                owner: "operator \(replacement.id), trial",
                isBack: false
            )
        } catch {
            return Finding(text: error.description, isFailure: true)
        }
        let migration = StateMigration([step])
        for image in images {
            for value in image.values where !migration.keepsBytes(ofSlot: value.slot) {
                for (entry, bytes) in Self.parts(of: value.content) {
                    let found = attempt(migration, value.slot, image.key, entry, bytes)
                    if let found { return found }
                }
            }
        }
        return nil
    }

    private static func parts(
        of content: KeyImage.Value.Content
    ) -> [(entry: [UInt8], bytes: [UInt8])] {
        switch content {
        case .bytes(let bytes): [([], bytes)]
        case .number(let number): [([], bytes(of: UInt64(bitPattern: number)))]
        case .list(let items):
            items.enumerated().map { position, item in
                (bytes(of: UInt64(position)), item)
            }
        case .map(let entries): entries.map { ($0.key, $0.value) }
        }
    }

    /// As it lies in memory: all machines that Apus runs on are little-endian.
    private static func bytes(of number: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * UInt64($0))) }
    }

    private func attempt(
        _ migration: StateMigration,
        _ slot: Int,
        _ key: [UInt8],
        _ entry: [UInt8],
        _ bytes: [UInt8]
    ) -> Finding? {
        let name =
            replacement.change.parts.first { $0.kind == .state && $0.oldIndex == slot }?.name ?? "?"
        let first = migration.migrate(slot: slot, key: key, entry: entry, bytes: bytes)
        let second = migration.migrate(slot: slot, key: key, entry: entry, bytes: bytes)
        switch (first, second) {
        case (.success(let first), .success(let second)) where first != second:
            return Finding(
                text: "migrate of state '\(name)' makes something else of the same value the "
                    + "second time; it has to be pure: no clock, no random numbers, no memory",
                isFailure: false
            )
        case (.failure(let reason), _), (_, .failure(let reason)):
            return Finding(
                text: "migrate of state '\(name)' refuses a value of key "
                    + "'\(String(decoding: key, as: UTF8.self))': \(reason.text)",
                isFailure: true
            )
        default: return nil
        }
    }
}
