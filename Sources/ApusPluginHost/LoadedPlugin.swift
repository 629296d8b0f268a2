import CApusGuard
import CApusPlugin

/// A plugin whose file is loaded and whose description is checked.
///
/// It is never unloaded.
package final class LoadedPlugin: @unchecked Sendable {
    // @unchecked because the pointers lead to constants of the plugin, valid for ever.

    /// The file, as the user named it.
    package let file: String
    /// XXH3-128 of the file's content, in hexadecimal.
    package let contentHash: String
    /// What it says of itself.
    package let description: PluginDescription
    // SAFETY: checked by DescriptionReader; valid for ever because plugins are never unloaded.
    let components: [UnsafePointer<apus_component>]

    init(
        file: String,
        contentHash: String,
        description: PluginDescription,
        components: [UnsafePointer<apus_component>]
    ) {
        self.file = file
        self.contentHash = contentHash
        self.description = description
        self.components = components
    }

    /// The index of a component.
    ///
    /// - Parameters:
    ///   - id: Nil means the only one of its kind.
    ///   - kind: What it is to be.
    /// - Returns: Its index in the description.
    /// - Throws: ``PluginError`` that lists what there is.
    package func componentIndex(
        _ id: String?,
        _ kind: ComponentKind = .operator
    ) throws(PluginError) -> Int {
        let kinds = description.components.map { ComponentChoice.Entry($0.id, $0.kind) }
        return try ComponentChoice(file: file, components: kinds).index(of: id, kind)
    }
}
