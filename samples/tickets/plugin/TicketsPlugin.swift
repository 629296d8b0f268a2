public import ApusSDK

/// The function that the host looks for.
@c(apus_plugin_v0)
public func apusPlugin(_ host: ApusHost, _ error: ApusErrorSlot) -> ApusPluginDescription {
    Plugin(
        id: "apus.samples.tickets",
        version: Policy.version,
        vendor: "Apus",
        Component(TicketOperator.self)
    )
    .export(to: host, error)
}
