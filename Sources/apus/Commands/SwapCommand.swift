import ArgumentParser

/// `apus swap`.
struct SwapCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "swap",
        abstract: "Replace operators of a running job by other versions.",
        discussion: """
            EXAMPLE
              apus swap history state/flights
            """,
        subcommands: [History.self]
    )
}
