import ApusState
import CApusGuard
import CApusPlugin

/// State of an operator's own kind, which it saves and loads as one run of bytes:
/// `apus.snapshot/1`.
///
/// In a checkpoint it is the one item of a hidden operator state, the last one.
package final class PrivateSnapshot {
    /// The most bytes of it.
    package static let byteCountMax = 64 << 20
    /// The name of the hidden operator state; no plugin can declare it.
    package static let stateName = "@snapshot"

    /// What a checkpoint had of it.
    package struct Saved: Equatable, Sendable {
        /// The bytes of one subtask, or of all of them.
        package var bytes: [UInt8]
        /// The version that they were written with.
        package var version: Int

        /// Creates a description; see the properties.
        package init(bytes: [UInt8], version: Int) {
            self.bytes = bytes
            self.version = version
        }
    }

    // SAFETY: a constant of the plugin, valid for ever, whose size DescriptionReader has checked.
    private let functions: UnsafePointer<apus_snapshot>
    private let site: CallSite
    private let owner: String
    private let writer = ByteWriter(byteCountMax: PrivateSnapshot.byteCountMax)

    /// Creates the host's side of a snapshot; nil for a component that has none.
    init?(
        _ component: UnsafePointer<apus_component>,
        _ description: ComponentDescription,
        site: CallSite,
        owner: String
    ) {
        guard description.snapshotVersion != nil,
            let functions = Self.find(component, site)
        else { return nil }
        self.functions = functions
        self.site = site
        self.owner = owner
    }

    /// The interface of a component; nil when it has none.
    static func find(
        _ component: UnsafePointer<apus_component>,
        _ site: CallSite
    ) -> UnsafePointer<apus_snapshot>? {
        // A plugin of an older version has no such field.
        guard component.pointee.size >= UInt32(Self.extensionEnd),
            component.pointee.get_extension != nil
        else { return nil }
        return apus_guard_component_extension(site.pointer, component, APUS_SNAPSHOT)?
            .assumingMemoryBound(to: apus_snapshot.self)
    }

    private static let extensionEnd =
        (MemoryLayout<apus_component>.offset(of: \.get_extension) ?? 0)
        + MemoryLayout<UnsafeRawPointer>.size

    /// Has the instance write its state.
    ///
    /// - Throws: ``PluginError`` when it cannot, or writes too much.
    func save(
        _ object: UnsafeMutableRawPointer?,
        _ context: UnsafeMutablePointer<apus_ctx>
    ) throws(PluginError) -> [UInt8] {
        writer.reset()
        defer { writer.reset() }
        let code = apus_guard_snapshot_save(
            site.pointer,
            functions,
            object,
            context,
            writer.pointer
        )
        guard !writer.isOverLimit else {
            throw PluginError(
                .failed,
                "\(owner), save",
                "broke the contract: it wrote more than \(Self.byteCountMax >> 20) MiB"
            )
        }
        guard code == APUS_OK else { throw failure("save", code, context) }
        return writer.bytes
    }

    /// Has the instance read what a checkpoint had.
    ///
    /// - Throws: ``PluginError`` when it cannot.
    func load(
        _ saved: Saved,
        _ object: UnsafeMutableRawPointer?,
        _ context: UnsafeMutablePointer<apus_ctx>
    ) throws(PluginError) {
        let reader = ByteReader(saved.bytes)
        let code = apus_guard_snapshot_load(
            site.pointer,
            functions,
            object,
            context,
            reader.pointer,
            UInt32(clamping: saved.version)
        )
        guard code == APUS_OK else { throw failure("load", code, context) }
    }

    private func failure(
        _ callback: String,
        _ code: Int32,
        _ context: UnsafeMutablePointer<apus_ctx>
    ) -> PluginError {
        guard let error = context.pointee.error else {
            return PluginError(.failed, "\(owner), \(callback)", "failed with code \(code)")
        }
        return PluginError(.failed, "\(owner), \(callback)", CallSite.reason(of: code, error))
    }
}
