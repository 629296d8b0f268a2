public import ApusSDK
import SampleOperators

/// The function that the host looks for.
@c(apus_plugin_v0)
public func apusPlugin(_ host: ApusHost, _ error: ApusErrorSlot) -> ApusPluginDescription {
    Plugin(
        id: "apus.samples.operators",
        version: "1.0.0",
        vendor: "Apus",
        Component(Filter.self),
        Component(Sessions.self),
        Component(Dedup.self)
    )
    .export(to: host, error)
}
