import ArgumentParser

/// `apus swap`.
struct SwapCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "swap",
        abstract: "Replace operators of a running job: plan, run, take back.",
        discussion: """
            EXAMPLE
              apus swap plan state/tickets sla --to libtickets-v2.so
              apus swap run state/tickets sla --to libtickets-v2.so --guard 30s
            """,
        subcommands: [
            Plan.self, Run.self, Status.self, Commit.self, Rollback.self, History.self,
            Release.self,
        ]
    )
}
