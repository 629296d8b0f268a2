import ApusNameOperators
public import ApusSDK

/// The one function that the host looks for.
@c(apus_plugin_v0)
public func apusPlugin(_ host: ApusHost, _ error: ApusErrorSlot) -> ApusPluginDescription {
    Plugin(
        id: "com.example.apus-name",
        version: "0.1.0",
        vendor: "Example",
        Component(ApusNameOperator.self)
    )
    .export(to: host, error)
}
