package import CApusPlugin

extension LoadedPlugin {
    /// The plugin's own tables, one per component, for checks.
    package var componentTables: [UnsafePointer<apus_component>] { components }

    /// The same plugin with something between its components and the host.
    ///
    /// - Parameter layer: Gives a table that stands for a component; it must live for ever.
    /// - Returns: The plugin, for instances that are to have the layer.
    package func layered(
        _ layer: (UnsafePointer<apus_component>) -> UnsafePointer<apus_component>
    ) -> LoadedPlugin {
        LoadedPlugin(
            number: number,
            image: image,
            report: report,
            description: description,
            changes: changes,
            // SAFETY: a layer keeps the sizes and counts that DescriptionReader has checked.
            components: components.map(layer),
            handle: handle,
            earlierThreads: earlierThreads
        )
    }
}
